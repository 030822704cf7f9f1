from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning")

import torch
from lightning_fabric.plugins.io import TorchCheckpointIO

from jobs.training.checkpoints.saving import Straight

pytestmark = pytest.mark.torch


def test_a_checkpoint_takes_no_way_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning's own needs as much room in the system's folder for temporary files again."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no such folder"))
    state = {"weights": torch.arange(5)}
    with pytest.raises(FileNotFoundError):
        TorchCheckpointIO().save_checkpoint(state, tmp_path / "theirs.ckpt")
    Straight().save_checkpoint(state, tmp_path / "ours.ckpt")
    assert [path.name for path in tmp_path.glob("*.ckpt*")] == ["ours.ckpt"]
    assert torch.equal(torch.load(tmp_path / "ours.ckpt")["weights"], state["weights"])
