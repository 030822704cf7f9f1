"""Networks that take more memory than there is."""

from __future__ import annotations

import torch
from torch import nn

from tests.jobs.training.small_net import Net

BALLAST_MIB = 64
"""What `Hungry` takes for each picture."""
SHARE = 24
"""Of the device's memory, `Glutton` takes one such part for each picture."""
FIT_ON_CPU: list[int] = []
"""At most one: pictures that fit at once on a CPU, which has no limit that could be set."""


class Hungry(nn.Module):
    """Gives the same for a batch and for its parts, up to rounding."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_chans, 8, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type == "cpu":
            if FIT_ON_CPU and len(x) > FIT_ON_CPU[0]:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return self.head(self.body(x))
        ballast = torch.zeros(len(x), BALLAST_MIB << 18, device=x.device)  # four bytes each
        return self.head(self.body(x)) + ballast[:, :1]


class Glutton(Net):
    """At most so many pictures at once fit, whatever the device's memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type == "cpu":
            if len(x) >= SHARE:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(x)
        total = torch.cuda.get_device_properties(x.device).total_memory
        ballast = torch.empty(total // SHARE * len(x), dtype=torch.uint8, device=x.device)
        outputs = super().forward(x)
        del ballast
        return outputs
