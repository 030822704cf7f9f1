"""A disk that has no more room when a checkpoint is written."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

from skint import StopRequested
from skint.attempt import AttemptDir, StopRequest
from skint.checkpoint import CheckpointError
from skint.lightning import CHECKPOINT, Callback
from tests.skint.tiny_fit import BATCHES, EPOCHS, fit

pytestmark = pytest.mark.torch

ROOM_BYTES = 4_000
"""For the lines of events, and not for a checkpoint."""


@contextmanager
def small_files() -> Iterator[None]:
    """No file grows beyond so many bytes, as on a disk that is full. It ends within the test:
    what pytest writes after it may go to a file too."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture
def parked(inside: Any, tmp_path: Path) -> AttemptDir:
    """An attempt whose checkpoint was written while there was room; it is asked to stop still."""
    directory: AttemptDir = inside("parked")
    directory.request_stop(StopRequest("step", "requeue", "parked"))
    with pytest.raises(StopRequested):
        fit(tmp_path)
    return directory


def test_a_stop_that_cannot_save_says_so_and_leaves_the_checkpoint_before(
    parked: AttemptDir, tmp_path: Path
) -> None:
    """Edge 38: the end comes in the middle of a checkpoint."""
    checkpoint = parked.out / CHECKPOINT
    whole = checkpoint.read_bytes()
    with small_files(), pytest.raises(CheckpointError) as caught:
        fit(tmp_path, resume=checkpoint)
    assert "File too large" in str(caught.value) and "make room there" in str(caught.value)
    assert checkpoint.read_bytes() == whole
    assert [path.name for path in checkpoint.parent.iterdir()] == ["last.ckpt"]
    assert torch.load(checkpoint, weights_only=True)["global_step"] == 1


def test_a_training_goes_on_without_a_checkpoint_and_writes_the_next(
    parked: AttemptDir, tmp_path: Path
) -> None:
    parked.stop.unlink()
    checkpoint = parked.out / CHECKPOINT
    whole = checkpoint.read_bytes()
    with small_files():
        model = fit(tmp_path, resume=checkpoint, callback=Callback(save_every_s=0.0))
    assert model.trainer.global_step == BATCHES * EPOCHS
    assert checkpoint.read_bytes() == whole
    lines = [json.loads(line) for line in parked.events.read_text().splitlines()]
    notes = [line["text"] for line in lines if line["kind"] == "note"]
    assert all("the checkpoint could not be written" in note for note in notes)
    assert len(notes) > 1 and "the training goes on" in notes[0]

    fit(tmp_path, resume=checkpoint, callback=Callback(save_every_s=0.0))
    assert torch.load(checkpoint, weights_only=True)["global_step"] == BATCHES * EPOCHS
