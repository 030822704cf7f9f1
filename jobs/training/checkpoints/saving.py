"""Writing checkpoints: straight to where they stay."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric.plugins.io import TorchCheckpointIO


class Straight(TorchCheckpointIO):
    """Writes a checkpoint where it is asked to.

    Lightning's own makes all of it in memory, writes that to the system's folder for temporary
    files and moves it from there: more than twice the time, in which the accelerator waits.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        torch.save(checkpoint, path)
