"""The callback in real, tiny fits on the CPU."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import pytorch_lightning as pl
import torch

from skint import StopRequested
from skint.attempt import EXIT_STOPPED, StopRequest
from skint.lightning import CHECKPOINT
from tests.skint.tiny_fit import (
    BATCHES,
    EPOCHS,
    VALIDATIONS,
    Loader,
    fit,
    reports,
    timed_reports,
    without_train,
)

pytestmark = pytest.mark.torch


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
        ("validate", 1, "step", BATCHES, 0),  # in the middle of a validation
        ("train", 1, "term", 2, 0),
        ("validate", 1, "term", BATCHES, 0),
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
    assert torch.load(checkpoint, weights_only=True)["global_step"] == saved_step
    first = reports(directory)
    assert len(first) == reported

    resumed = inside("resumed")
    model = fit(tmp_path, resume=checkpoint)
    assert model.trainer.global_step == BATCHES * EPOCHS
    for name, value in model.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    assert without_train(first + reports(resumed)) == without_train(reports(whole))


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
        if (here, now) == ("validate", 1):
            stopped.request_stop(StopRequest("step", "requeue", "parked"))

    with pytest.raises(StopRequested):
        fit(tmp_path, at)
    inside("resumed")
    fit(tmp_path, resume=stopped.out / CHECKPOINT, beside=(SaveAfterValidation(tmp_path),))
    again = inside("again")
    fit(tmp_path, resume=tmp_path / "epoch0.ckpt")
    # The first run may have been lost before it reported that epoch.
    assert without_train(reports(again)) == without_train(reports(whole))


def test_a_stop_waits_for_gradients_to_be_applied(inside: Any, tmp_path: Path) -> None:
    directory = inside("a")
    directory.request_stop(StopRequest("step", "requeue", "parked"))
    with pytest.raises(StopRequested):
        fit(tmp_path, accumulate_grad_batches=2)
    saved = torch.load(directory.out / CHECKPOINT, weights_only=True)
    assert saved["global_step"] == 1
    assert saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]["ready"] == 2


PROGRAM = """
import sys, time
from pathlib import Path
sys.path.append(sys.argv[1])
from tests.skint import tiny_fit
attempt = Path(sys.argv[2])

def at(where, step):
    if (where, step) == ("train", 2):
        (attempt / "out" / "up").touch()
        while not (attempt / "stop").exists():
            time.sleep(0.01)
    if where == "train" and step > 2:
        time.sleep(0.2)                  # longer than the callback goes without a look

tiny_fit.fit(attempt, at)
"""


def test_a_training_program_of_a_run_job_is_parked(attempt: Any, python: str) -> None:
    one = attempt()
    arguments = (str(Path(__file__).parents[2]), str(one.directory.path))
    one.directory.create(replace(one.task, argv=(python, "-c", PROGRAM, *arguments)))
    one.start()
    one.wait_for("up")
    one.directory.request_stop(StopRequest("step", "requeue", "parked"))
    end = one.end()
    assert (end.reason, end.code) == ("stopped", EXIT_STOPPED), one.log()
    (line,) = one.events("checkpoint")
    assert line["path"] == "checkpoints/last.ckpt"
    saved = torch.load(one.directory.out / CHECKPOINT, weights_only=True)
    assert saved["global_step"] == line["step"] < BATCHES * EPOCHS
