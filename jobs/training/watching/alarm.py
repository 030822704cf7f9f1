"""The alarm for half precision that has stopped working.

In fp16 the loss is multiplied by a scale that is halved whenever a gradient overflows; that step
is left out. Once in a while this is normal. A scale that falls and falls means that every step
overflows, or that NaN has got into the weights: nothing is learnt, and the meter runs.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

import skint
from skint.errors import SkintError

LOOK_EVERY = 16
"""Steps between two looks: reading the scale waits for the device."""
LOW = 1.0
"""A scale below this makes gradients smaller than they are: worth a note."""
COLLAPSED = 2.0**-14
"""fp16's own smallest ordinary number: no finite gradient overflows at such a scale."""


class ScaleCollapse(SkintError):
    """The loss scale of fp16 fell so far that no finite gradient can be the cause."""


class ScaleAlarm(pl.Callback):
    """Says once that the loss scale is low, and ends the training where it has collapsed."""

    def __init__(self, ctx: skint.Context) -> None:
        super().__init__()
        self.ctx = ctx
        self.told = False

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        if scaler is None or batch_idx % LOOK_EVERY:
            return
        scale = float(scaler.get_scale())
        if scale < COLLAPSED:
            raise ScaleCollapse(
                "in half precision (fp16) every step overflows: nothing is learnt",
                got=f"loss scale {scale:.3g} in step {trainer.global_step}; it begins at 65536",
                next="train with precision: bf16-mixed or 32, a lower lr, or clip_norm: 1",
            )
        if scale < LOW and not self.told and trainer.is_global_zero:
            self.told = True
            self.ctx.note(
                f"half precision (fp16): the loss scale fell to {scale:.3g} by step "
                f"{trainer.global_step}, steps are being left out; a lower lr, clip_norm or "
                "precision: bf16-mixed helps"
            )

    def state_dict(self) -> dict[str, Any]:
        return {"told": self.told}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.told = state_dict["told"]
