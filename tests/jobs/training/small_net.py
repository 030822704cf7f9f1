"""A small network with everything that makes an exact resume hard: batch statistics, dropout.

It can also be told to ask for a stop: `request_stop_at(directory, calls)` counts its calls.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import torch
from torch import nn

import skint.lightning
from skint.attempt import AttemptDir, StopRequest

PENDING: list[tuple[AttemptDir, StopRequest, bool, int]] = []
"""At most one: where, what, whether calls in training count (else in evaluation), how many left."""


def request_stop_at(
    directory: AttemptDir, calls: int, *, training: bool = True, how: Any = "step"
) -> None:
    """Let the `calls`-th call of any network here write the stop file, or for `how="term"` send
    TERM to this process."""
    PENDING[:] = [(directory, StopRequest(how, "requeue", "cancelled"), training, calls)]


class Net(nn.Module):
    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_chans, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
        )
        self.head = nn.Linear(32, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if PENDING and PENDING[0][2] == self.training:
            directory, request, training, left = PENDING.pop()
            if left > 1:
                PENDING.append((directory, request, training, left - 1))
            else:
                time.sleep(2 * skint.lightning.LOOK_S)  # so that it looks after this very step
                if str(request.how) == "term":  # no kind of stop, but asked for here
                    os.kill(os.getpid(), signal.SIGTERM)
                else:
                    directory.request_stop(request)
        return self.head(self.body(x))


class Headless(Net):
    """Does not say which layer is its last."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__(num_classes, in_chans)
        self.last, self.head = self.head, None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.body(x))


class WrongOutput(Net):
    """Gives one output too many."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__(num_classes + 1, in_chans)


class Numb(Net):
    """Its gradients are all zero."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).detach() + 0 * sum(p.sum() for p in self.parameters())


class Forgetful(Net):
    """Its output depends on numbers that its state dict does not have."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__(num_classes, in_chans)
        torch.seed()
        self.register_buffer("secret", torch.rand(num_classes), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + self.secret


class WrongUnits(Net):
    """States the mean of 0..255 where that of 0..1 is wanted."""

    mean, std = (124.0,) * 3, (0.229,) * 3


class Tight(Net):
    """Has memory for three pictures at once in training, and for two in evaluation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > (3 if self.training else 2):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().forward(x)


class OnlyLarge(Net):
    """Gives another output for pictures of less than 16 pixels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = super().forward(x)
        return out if x.shape[-1] >= 16 else out[:, :1]


class Slow(Net):
    """Takes its time in training, in a process of its own: so that it can be met there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and "pytest" not in sys.modules:
            time.sleep(0.1)
        return super().forward(x)


class Steady(nn.Module):
    """Gives each picture the same whatever is beside it in the batch; takes its time as `Slow`."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_chans, 8, 3, stride=2, padding=1),
            nn.GroupNorm(2, 8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and "pytest" not in sys.modules:
            time.sleep(0.1)
        return self.head(self.body(x))
