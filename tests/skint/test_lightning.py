"""The callback in real, tiny fits on the CPU."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import pytorch_lightning as pl
import torch

from skint import StopRequested
from skint.attempt import AttemptDir, StopRequest, Task
from skint.lightning import CHECKPOINT, Callback

pytestmark = pytest.mark.torch

BATCHES, VALIDATIONS, EPOCHS = 4, 3, 3


class Loader:
    """Batches by (epoch, number): the same after a resume; counts at the consumer."""

    def __init__(self, batches: int) -> None:
        self.batches, self.epoch, self.taken = batches, 0, 0
        self.sampler = self.batch_sampler = self  # where Lightning names the epoch

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.taken = epoch, 0

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Any:
        for number in range(self.taken, self.batches):
            self.taken = number + 1
            generator = torch.Generator().manual_seed(100 * self.epoch + number)
            yield torch.randn(8, 4, generator=generator)
        self.taken = 0

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "taken": self.taken}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.taken = state["epoch"], state["taken"]


class Model(pl.LightningModule):
    def __init__(self, at: Callable[[str, int], None]) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.at = at
        self.seen = 0

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.at("train", self.global_step)
        loss = (self.layer(batch) - batch.sum(1, keepdim=True)).pow(2).mean()
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        if not self.trainer.sanity_checking:
            self.at("validate", self.global_step + batch_idx)
        loss = (self.layer(batch) - batch.sum(1, keepdim=True)).pow(2).mean()
        self.log("val_loss", loss)
        self.log("val_batches", 1.0, reduce_fx="sum")

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.05, total_steps=BATCHES * EPOCHS
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fit(
    folder: Path,
    at: Callable[[str, int], None] = lambda where, step: None,
    resume: Path | None = None,
    beside: tuple[pl.Callback, ...] = (),
    loader: Loader | None = None,
    **options: Any,
) -> Model:
    pl.seed_everything(1)
    model = Model(at)
    trainer = pl.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder / f"lightning{len(list(folder.iterdir()))}",
        callbacks=[Callback(), *beside],
        **options,
    )
    generator = torch.Generator().manual_seed(7)
    rows = torch.randn(8 * VALIDATIONS, 4, generator=generator)
    validation = torch.utils.data.DataLoader(rows, batch_size=8)
    trainer.fit(model, loader or Loader(BATCHES), validation, ckpt_path=resume)
    return model


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AttemptDir]:
    """Puts this process into a new attempt, as a worker is."""

    def enter(name: str) -> AttemptDir:
        directory = AttemptDir(tmp_path / name)
        directory.create(Task(name, 1, "run", "job"))
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(directory.path))
        monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
        return directory

    return enter


def timed_reports(directory: AttemptDir) -> list[dict[str, Any]]:
    if not directory.events.exists():
        return []
    lines = [json.loads(line) for line in directory.events.read_text().splitlines()]
    return [line["values"] for line in lines if line["kind"] == "report"]


def reports(directory: AttemptDir) -> list[dict[str, Any]]:
    """Without the times, which are never the same."""
    times = ("seconds", "in_step_s")
    return [
        {name: value for name, value in values.items() if name not in times}
        for values in timed_reports(directory)
    ]


def test_each_validated_epoch_is_reported(inside: Any, tmp_path: Path) -> None:
    directory = inside("a")
    model = fit(tmp_path, check_val_every_n_epoch=2)
    (found,) = reports(directory)
    assert (found["epoch"], found["epochs"]) == (2, EPOCHS)
    assert set(found) == {"epoch", "epochs", "train_loss", "val_loss", "val_batches"}
    assert model.trainer.current_epoch == EPOCHS


def test_the_time_in_steps_is_a_part_of_the_time_of_the_epoch(inside: Any, tmp_path: Path) -> None:
    directory = inside("a")
    step_s = 0.02

    def at(where: str, step: int) -> None:
        time.sleep(step_s)

    begun_s = time.monotonic()
    fit(tmp_path, at)
    whole_s = time.monotonic() - begun_s
    found = timed_reports(directory)
    assert len(found) == EPOCHS
    for values in found:
        assert (BATCHES + VALIDATIONS) * step_s <= values["in_step_s"] <= values["seconds"]
    assert sum(values["seconds"] for values in found) <= whole_s


def test_the_wait_for_data_is_not_time_in_a_step(inside: Any, tmp_path: Path) -> None:
    directory = inside("a")
    wait_s = 0.05

    class Slow(Loader):
        def __iter__(self) -> Any:
            for batch in super().__iter__():
                time.sleep(wait_s)
                yield batch

    fit(tmp_path, loader=Slow(BATCHES))
    for values in timed_reports(directory):
        assert values["seconds"] - values["in_step_s"] >= BATCHES * wait_s


def test_outside_skint_it_does_nothing(
    inside: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = inside("a")
    directory.request_stop(StopRequest("step", "end", "cancelled"))
    monkeypatch.delenv("SKINT_ATTEMPT_DIR")
    fit(tmp_path)
    assert reports(directory) == []
    assert list(directory.out.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "step", "how", "saved_step", "reported"),
    [
        ("train", 1, "step", 2, 0),  # in the middle of an epoch
        ("train", BATCHES - 1, "step", BATCHES, 0),  # its last batch: stops in the validation
        ("validate", BATCHES + 1, "step", BATCHES, 0),  # in the middle of a validation
        ("train", 1, "term", 2, 0),
        ("validate", BATCHES + 1, "term", BATCHES, 0),
        ("train", BATCHES + 1, "epoch", 2 * BATCHES + 1, 2),  # with the next epoch's first batch
    ],
)
def test_a_stop_loses_nothing(
    inside: Any, tmp_path: Path, where: str, step: int, how: Any, saved_step: int, reported: int
) -> None:
    whole = inside("whole")
    wanted = fit(tmp_path).state_dict()
    directory = inside("stopped")

    def at(here: str, now: int) -> None:
        if (here, now) != (where, step):
            return
        if how == "term":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            directory.request_stop(StopRequest(how, "requeue", "parked"))

    with pytest.raises(StopRequested) as caught:
        fit(tmp_path, at)
    assert caught.value.request.reason == ("terminated" if how == "term" else "parked")
    assert [file.name for file in (directory.out / "checkpoints").iterdir()] == ["last.ckpt"]
    checkpoint = directory.out / CHECKPOINT
    assert torch.load(checkpoint, weights_only=False)["global_step"] == saved_step
    first = reports(directory)
    assert len(first) == reported

    resumed = inside("resumed")
    model = fit(tmp_path, resume=checkpoint)
    assert model.trainer.global_step == BATCHES * EPOCHS
    for name, value in model.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    assert [without_train(values) for values in first + reports(resumed)] == [
        without_train(values) for values in reports(whole)
    ]


def without_train(values: dict[str, Any]) -> dict[str, Any]:
    """Lightning keeps no running mean of the training loss over a stop."""
    return {name: value for name, value in values.items() if name != "train_loss"}


class SaveAfterValidation(pl.Callback):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            trainer.save_checkpoint(self.folder / f"epoch{trainer.current_epoch}.ckpt")


def test_a_checkpoint_of_a_run_that_went_on_in_a_validation_is_whole_too(
    inside: Any, tmp_path: Path
) -> None:
    whole = inside("whole")
    fit(tmp_path)
    stopped = inside("stopped")

    def at(here: str, now: int) -> None:
        if (here, now) == ("validate", BATCHES + 1):
            stopped.request_stop(StopRequest("step", "requeue", "parked"))

    with pytest.raises(StopRequested):
        fit(tmp_path, at)
    inside("resumed")
    fit(tmp_path, resume=stopped.out / CHECKPOINT, beside=(SaveAfterValidation(tmp_path),))
    again = inside("again")
    fit(tmp_path, resume=tmp_path / "epoch0.ckpt")
    # The first run may have been lost before it reported that epoch.
    assert list(map(without_train, reports(again))) == list(map(without_train, reports(whole)))


@contextmanager
def small_files(limit_bytes: int = 2_000) -> Iterator[None]:
    """No file grows beyond so many bytes, as on a disk that is full. It ends within the test:
    what pytest writes after it may go to a file too."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_checkpoint_that_is_cut_short_leaves_the_one_before(inside: Any, tmp_path: Path) -> None:
    """Edge 38: the end comes in the middle of a checkpoint."""
    directory = inside("stopped")
    directory.request_stop(StopRequest("step", "requeue", "parked"))
    with pytest.raises(StopRequested):
        fit(tmp_path)
    checkpoint = directory.out / CHECKPOINT
    whole = checkpoint.read_bytes()
    with small_files(), pytest.raises(OSError, match="File too large"):
        fit(tmp_path, resume=checkpoint)
    assert checkpoint.read_bytes() == whole
    assert torch.load(checkpoint, weights_only=False)["global_step"] == 1


RANKS = """
import sys
from pathlib import Path
import pytorch_lightning as pl
import torch
from skint.lightning import Callback

class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, index):
        loss = self.layer(batch).pow(2).mean()
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

rows = torch.utils.data.DataLoader(torch.ones(8, 2), batch_size=2)
trainer = pl.Trainer(
    max_epochs=2, accelerator="cpu", devices=2, strategy="ddp", logger=False,
    enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
    callbacks=[Callback()],
)
trainer.fit(Model(), rows)
Path(sys.argv[1], str(trainer.global_rank)).touch()
"""


def test_of_several_ranks_the_first_one_reports(inside: Any, tmp_path: Path) -> None:
    """Edge 49: data-parallel training in two processes."""
    directory = inside("two")
    program, ranks = tmp_path / "two.py", tmp_path / "ranks"
    program.write_text(RANKS)
    ranks.mkdir()
    done = subprocess.run(
        [sys.executable, str(program), str(ranks)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in ranks.iterdir()) == ["0", "1"]
    assert [values["epoch"] for values in reports(directory)] == [1, 2]


def test_a_stop_waits_for_gradients_to_be_applied(inside: Any, tmp_path: Path) -> None:
    directory = inside("a")
    directory.request_stop(StopRequest("step", "requeue", "parked"))
    with pytest.raises(StopRequested):
        fit(tmp_path, accumulate_grad_batches=2)
    saved = torch.load(directory.out / CHECKPOINT, weights_only=False)
    assert saved["global_step"] == 1
    assert saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]["ready"] == 2


PROGRAM = """
import sys, time
from pathlib import Path
sys.path.append(sys.argv[1])
import test_lightning
attempt = Path(sys.argv[2])

def at(where, step):
    if (where, step) == ("train", 2):
        (attempt / "out" / "up").touch()
        while not (attempt / "stop").exists():
            time.sleep(0.01)
    if where == "train" and step > 2:
        time.sleep(0.2)                  # longer than the callback goes without a look

test_lightning.fit(attempt, at)
"""


def test_a_training_program_of_a_run_job_is_parked(attempt: Any, python: str) -> None:
    one = attempt()
    arguments = (str(Path(__file__).parent), str(one.directory.path))
    one.directory.create(replace(one.task, argv=(python, "-c", PROGRAM, *arguments)))
    one.start()
    one.wait_for("up")
    one.directory.request_stop(StopRequest("step", "requeue", "parked"))
    end = one.end()
    # Python gives its handlers back before it has ended: a late TERM makes it 143.
    assert end.reason == "stopped" and end.code in (75, 143), one.log()
    (line,) = one.events("checkpoint")
    assert line["path"] == "checkpoints/last.ckpt"
    saved = torch.load(one.directory.out / CHECKPOINT, weights_only=False)
    assert saved["global_step"] == line["step"] < BATCHES * EPOCHS
