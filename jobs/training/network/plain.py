"""Networks for features: a packed set of shape (N, 1, 1, D), such as a frozen backbone gives.

They need no convolution and no accelerator: training one is a matter of seconds on a CPU.
"""

from __future__ import annotations

import torch
from torch import nn

from skint.errors import SkintError

HIDDEN = 512
"""Units of the hidden layer of `mlp`."""


class FeaturesError(SkintError):
    """A network for features was given pictures."""


class Plain(nn.Module):
    """(B, D, 1, 1) or (B, D) -> (B, classes): at most one hidden layer, and a linear one."""

    def __init__(self, features: int, classes: int, *, hidden: int = 0) -> None:
        """`hidden` units between input and head, none by default."""
        super().__init__()
        self.features = features
        self.body = nn.Sequential(nn.Linear(features, hidden), nn.ReLU()) if hidden else None
        self.head = nn.Linear(hidden or features, classes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if features[0].numel() != self.features:
            raise FeaturesError(
                "linear and mlp take features, not pictures",
                where="model",
                got=f"{tuple(features.shape[1:])} (C, H, W)",
                wanted=f"{self.features} numbers: pictures of 1 × 1",
                next="needs: a set of features; or name a network for pictures",
            )
        inner = features.flatten(1)
        return self.head(inner if self.body is None else self.body(inner))
