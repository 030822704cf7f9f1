"""A network that stands in for one on an accelerator: a training step lasts STEP_MS.

It learns a little (a linear classifier of 8 x 8 pixels), so that there is a score to compare. What
is missing to the time of the device is slept, as a host sleeps while a device computes: a loader
beside it has the processor to itself. The step begins with the first module that gets the batch,
be it one that normalises it. A validation step has the forward pass alone, a third; a batch of
another size than STEP_BATCH takes in proportion.
"""

from __future__ import annotations

import os
import time
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

BEGUN_S: list[float] = []
"""When the first module of this step was called; empty between steps."""


class Net(nn.Module):  # type: ignore[misc]
    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(8)
        self.head = nn.Linear(64 * in_chans, num_classes)
        self.picture_s = float(os.environ["STEP_MS"]) / 1000 / int(os.environ["STEP_BATCH"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.head(self.pool(x).flatten(1))
        device_s = self.picture_s * len(x) * (1 if self.training else 1 / 3)
        time.sleep(max(0.0, device_s - (time.perf_counter() - BEGUN_S.pop())))
        return out


def note_start(module: nn.Module, given: Any) -> None:
    """Pictures have four axes; what a loss or a metric gets has not."""
    pictures = bool(given) and torch.is_tensor(given[0]) and given[0].ndim == 4
    if pictures and not BEGUN_S:
        BEGUN_S.append(time.perf_counter())


register_module_forward_pre_hook(note_start)
