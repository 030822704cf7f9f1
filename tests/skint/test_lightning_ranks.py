"""Data-parallel training in two processes (gloo, on the CPU), under the shim."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

from skint.attempt import EXIT_STOPPED, StopRequest
from skint.lightning import CHECKPOINT

pytestmark = pytest.mark.torch

EPOCHS, BATCHES = 3, 4

PROGRAM = """
import os, sys, time
from pathlib import Path
import pytorch_lightning as pl
import torch
import skint

out = Path(os.environ["SKINT_OUT"])
torch.set_num_threads(1)

class Model(pl.LightningModule):
    waits = False

    def __init__(self):
        super().__init__()
        linear = torch.nn.Linear
        self.layer = torch.nn.Sequential(linear(2, 8), torch.nn.Dropout(), linear(8, 1))

    def training_step(self, batch, index):
        step = self.trainer.fit_loop.total_batch_idx
        if "fail" in sys.argv and step == 2 and self.global_rank == 1:
            raise ValueError("rank 1 has had enough")
        if self.waits and step == 1:
            (out / f"up{self.global_rank}").touch()
            while not (out.parent / "stop").exists():
                time.sleep(0.01)
        loss = (self.layer(batch) - batch.sum(1, keepdim=True)).pow(2).mean()
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

class Loader:
    epoch = taken = 0
    @property
    def sampler(self): return self
    def set_epoch(self, epoch):
        if epoch != self.epoch: self.epoch, self.taken = epoch, 0
    def __len__(self): return 4
    def __iter__(self):
        rank = int(os.environ.get("LOCAL_RANK", 0))
        for number in range(self.taken, 4):
            self.taken = number + 1
            seed = 100 * self.epoch + 10 * number + rank
            yield torch.randn(2, 2, generator=torch.Generator().manual_seed(seed))
        self.taken = 0
    def state_dict(self): return {"epoch": self.epoch, "taken": self.taken}
    def load_state_dict(self, state): self.epoch, self.taken = state["epoch"], state["taken"]

def train(resume):
    pl.seed_everything(5 + int(os.environ.get("LOCAL_RANK", 0)))  # dropout differs by rank
    trainer = pl.Trainer(
        max_epochs=3, accelerator="cpu", devices=2, strategy="ddp", logger=False,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        use_distributed_sampler=False, callbacks=skint.Callback(), default_root_dir=out,
    )
    model = Model()
    trainer.fit(model, Loader(), ckpt_path=resume)
    return trainer, model

for waits in [False, True] if "wait" in sys.argv else [False]:
    Model.waits = waits
    trainer, model = train(skint.resume_path())
    if trainer.is_global_zero:
        torch.save(model.state_dict(), out / "weights.pt")
    (out / f"done{trainer.global_rank}").touch()
"""


def program(folder: Path, python: str, *words: str) -> tuple[str, ...]:
    file = folder / "two.py"
    file.write_text(PROGRAM)
    return (python, str(file), *words)


def reported_epochs(one: Any) -> list[int]:
    return [line["values"]["epoch"] for line in one.events("report")]


def test_two_processes_stop_after_the_same_step_and_go_on_to_the_bit(
    attempt: Callable[..., Any], python: str, tmp_path: Path
) -> None:
    """Edge 49: data-parallel training in two processes. The first one reports."""
    first = attempt(argv=program(tmp_path, python, "wait"))  # once to the end, then once more
    first.start()
    for rank in (0, 1):
        first.wait_for(f"up{rank}")
        assert (first.directory.out / f"done{rank}").exists()
    wanted = torch.load(first.directory.out / "weights.pt")
    first.directory.request_stop(StopRequest("step", "requeue", "parked"))
    end = first.end()
    assert (end.reason, end.code) == ("stopped", EXIT_STOPPED), first.log()
    (line,) = first.events("checkpoint")
    saved = torch.load(first.directory.out / CHECKPOINT, weights_only=True)
    assert saved["global_step"] == line["step"] < EPOCHS * BATCHES

    second = attempt(argv=program(tmp_path, python), previous=str(first.directory.out))
    assert second.run().reason == "done", second.log()
    assert reported_epochs(first) + reported_epochs(second) == [1, 2, 3, 1, 2, 3]
    found = torch.load(second.directory.out / "weights.pt")
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_a_process_that_fails_ends_the_attempt_once_and_says_why(
    attempt: Callable[..., Any], python: str, tmp_path: Path
) -> None:
    one = attempt(argv=program(tmp_path, python, "fail"))
    end = one.run()
    assert end.reason == "failed", one.log()
    (error,) = one.events("error")
    assert error["what"] == "process 1 of 2: ValueError: rank 1 has had enough"
    assert not (one.directory.out / "done0").exists()
    assert json.loads(one.directory.exit.read_text())["code"] != 0
