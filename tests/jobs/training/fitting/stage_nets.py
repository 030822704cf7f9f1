"""Networks that tell what they were given, or break on the way."""

from __future__ import annotations

import torch

from tests.jobs.training.small_net import Net

SEEN: list[tuple[bool, tuple[int, ...]]] = []
"""(training, shape) of every batch that a `Telling` was given."""
LEFT: list[int] = []
"""At most one: training batches until a `Fragile` breaks."""


class Telling(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        SEEN.append((torch.is_grad_enabled(), tuple(x.shape)))
        return super().forward(x)


class Fragile(Net):
    """Breaks for good at one training batch, like a machine that goes down."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if LEFT and torch.is_grad_enabled():
            LEFT[0] -= 1
            if LEFT[0] < 0:
                raise ConnectionAbortedError("the machine went down")
        return super().forward(x)
