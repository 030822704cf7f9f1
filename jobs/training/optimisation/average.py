"""An exponential moving average of a network's weights, which judges better than the last ones."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


class Average(nn.Module):
    """A second network that follows the first one slowly.

    The running statistics of batch normalisation are averaged like weights; counters are copied.
    The first steps count more: in step n, from 1, the decay is at most (1 + n) / (10 + n), as in
    TensorFlow's ExponentialMovingAverage. Else a short training would be judged by weights that
    are mostly the initial ones.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """To be called after each step of the optimizer."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages = self.network.state_dict(keep_vars=True)
        for name, current in network.state_dict(keep_vars=True).items():
            if current.is_floating_point():
                averages[name].lerp_(current, 1 - decay)
            else:
                averages[name].copy_(current)

    def get_extra_state(self) -> torch.Tensor:
        """The number of steps, for the state dict."""
        return torch.tensor(self.updates)

    def set_extra_state(self, state: torch.Tensor) -> None:
        self.updates = int(state)
