"""Small modules of a user's, as they stand beside a plan: a text file for the tests to copy."""

from __future__ import annotations

TASK = '''
import os
from pathlib import Path
import torch
import pytorch_lightning as pl
from skint.attempt import AttemptDir, StopRequest
from skint.keyed import KeyedLoader


def at(module, where):
    """What the test wants to happen in this step: `STOP_AT="Judge train 3"`."""
    here = f"{type(module).__name__} {where} {module.global_step}"
    if os.environ.get("STOP_AT") == here:
        attempt = AttemptDir(Path(os.environ["SKINT_ATTEMPT_DIR"]))
        attempt.request_stop(StopRequest("step", "requeue", "parked"))
    if os.environ.get("FAIL_AT") == here:
        raise RuntimeError("the machine went down")


class Points(torch.utils.data.Dataset):
    def __init__(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(count, 4, generator=generator)
        self.y = (self.x[:, 0] + 0.5 * self.x[:, 1] > 0).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index] + 0.01 * torch.randn(4), self.y[index]


class Data(pl.LightningDataModule):
    def __init__(self, fold, count=64, batch_size=8, seed=0):
        super().__init__()
        self.fold, self.count, self.batch_size, self.seed = fold, count, batch_size, seed

    def setup(self, stage):
        self.train, self.held_out = Points(self.count, 1 + self.fold), Points(24, 99)

    def train_dataloader(self):
        return KeyedLoader(self.train, batch_size=self.batch_size, seed=self.seed)

    def val_dataloader(self):
        return torch.utils.data.DataLoader(self.held_out, batch_size=8)


class Base(pl.LightningModule):
    def __init__(self, width=8, lr=0.05):
        super().__init__()
        self.lr = lr
        linear = torch.nn.Linear
        self.encoder = torch.nn.Sequential(linear(4, width), torch.nn.ReLU(), torch.nn.Dropout(0.2))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.99)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Copier(Base):
    """Learns to give its input back."""

    def __init__(self, width=8, lr=0.05):
        super().__init__(width, lr)
        self.decoder = torch.nn.Linear(width, 4)

    def loss(self, batch):
        return (self.decoder(self.encoder(batch[0])) - batch[0]).pow(2).mean()

    def training_step(self, batch, index):
        at(self, "train")
        return self.loss(batch)

    def validation_step(self, batch, index):
        at(self, "validate")
        self.log("val_loss", self.loss(batch))


class Judge(Base):
    """Learns on which side of a line a point lies."""

    def __init__(self, width=8, lr=0.05, seed=None):
        super().__init__(width, lr)
        self.head = torch.nn.Linear(width, 2)

    def training_step(self, batch, index):
        at(self, "train")
        return torch.nn.functional.cross_entropy(self.head(self.encoder(batch[0])), batch[1])

    def validation_step(self, batch, index):
        at(self, "validate")
        logits = self.head(self.encoder(batch[0]))
        self.log("val_loss", torch.nn.functional.cross_entropy(logits, batch[1]))
        self.log("val_acc", (logits.argmax(1) == batch[1]).float().mean())


class Numbered(Data):
    """23 held-out points with their numbers, from 100, the last first."""

    def val_dataloader(self):
        x, y = Points(23, 99).x, Points(23, 99).y
        rows = [(x[n], y[n], 100 + n) for n in reversed(range(23))]
        return torch.utils.data.DataLoader(rows, batch_size=8)


class Teller(Judge):
    """Returns what it predicted."""

    def validation_step(self, batch, index):
        super().validation_step(batch, index)
        told = self.head(self.encoder(batch[0])).softmax(1)
        return {"ids": batch[2], "target": batch[1], "probabilities": told}


class Breaking(Teller):
    """Returns no numbers, but for the first batch."""

    def validation_step(self, batch, index):
        given = super().validation_step(batch, index)
        broken = given["probabilities"] * (1 if index == 0 else torch.nan)
        return {**given, "probabilities": broken}


class Logits(Teller):
    def validation_step(self, batch, index):
        given = super().validation_step(batch, index)
        return {**given, "probabilities": given["probabilities"].log()}


class Diverging(Judge):
    def training_step(self, batch, index):
        return super().training_step(batch, index) * float("nan")


class Frozen(Judge):
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


class Stopping(Copier):
    """Stops early, after its first epoch."""

    def configure_callbacks(self):
        return [pl.callbacks.EarlyStopping("val_loss", min_delta=100.0, patience=1)]


class Needy(Judge):
    def __init__(self, classes):
        super().__init__()


class Knowing(Judge):
    """Takes the data module, set up."""

    def __init__(self, data):
        super().__init__(width=4 + len(data.train) // 64)


class Forgetful(Judge):
    """Has a weight that its state_dict does not keep."""

    def validation_step(self, batch, index):
        self.log("held_out", 1.0)


class NotLightning(torch.nn.Module):
    pass
'''
