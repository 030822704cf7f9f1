"""States of the random generators in every checkpoint: Lightning stores none.

With the keyed loader (`skint.loader`), which needs no generator, a resumed run is the
uninterrupted one to the bit: dropout and stochastic depth go on where they were.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch


class RandomState(pl.Callback):
    """Saves the generators' states with a checkpoint, and sets them again before the next step."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        return {
            "python": random.getstate(),
            "numpy": np.random.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.saved = state_dict

    # Whichever comes first: a run resumed in the middle of an epoch does not start that epoch.
    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restore()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        if self.saved is None:
            return
        state, self.saved = self.saved, None
        random.setstate(state["python"])
        np.random.set_state(state["numpy"])
        torch.set_rng_state(state["torch"])
        if len(state["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["cuda"])
