"""Networks that do not fit: one says so, one is killed for it, one is broken."""

from __future__ import annotations

import os
import signal

import torch

from tests.jobs.training.small_net import Net


class Greedy(Net):
    """More than 20 pictures at once do not fit."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().forward(x)


class Killed(Net):
    """The kernel ends what takes more than 20 pictures at once."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)


class Broken(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no such shape")


class Stillborn(Net):
    def __init__(self, num_classes: int, in_chans: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
