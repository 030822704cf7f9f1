"""Errors that tell of another process."""

from __future__ import annotations

import pytest

pytest.importorskip("pytorch_lightning")

import torch

from jobs.training.watching.blame import is_lost
from skint.checkpoint import CheckpointError

pytestmark = pytest.mark.torch

GLOO = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer"


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (RuntimeError(GLOO), True),
        (torch.distributed.DistBackendError("watchdog"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("enough"), False),
    ],
)
def test_an_error_of_communication_is_no_cause(error: Exception, lost: bool) -> None:
    assert is_lost(error) == lost


def test_nor_is_a_checkpoint_that_could_not_be_written_because_of_it() -> None:
    error = CheckpointError("the checkpoint could not be written")
    assert not is_lost(error)
    error.__cause__ = RuntimeError(GLOO)
    assert is_lost(error)
