"""The first convolution of a network for another number of channels than three."""

from __future__ import annotations

import torch
from torch import nn

RGB = 3


def first_convolution(module: nn.Module, channels: int) -> tuple[str, nn.Conv2d] | None:
    """Name and layer of the first convolution over `channels`; None where there is none."""
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.in_channels == channels:
            return name, layer
    return None


def widen(module: nn.Module, channels: int) -> None:
    """Let a fresh network for RGB take `channels`: its first convolution is drawn anew.

    With the deviation of the weights it replaces, times √(3 / channels), so that what comes out of
    it is spread as before. It stays the same layer object, of whatever class of convolution.
    """
    found = first_convolution(module, RGB)
    if found is None:
        raise ValueError("no convolution over 3 channels")
    _, layer = found
    old = layer.weight
    fresh = torch.empty(old.shape[0], channels, *old.shape[2:], dtype=old.dtype)
    deviation = float(old.detach().std()) * (RGB / channels) ** 0.5
    layer.weight = nn.Parameter(nn.init.normal_(fresh, std=deviation))
    layer.in_channels = channels


def adapted(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Weights (O, 3, H, W) of a first convolution for pictures of `channels`: timm's rule.

    One channel gets the sum over RGB; several get R, G, B, R, G, … times 3 / channels.
    """
    from timm.models import adapt_input_conv

    made: torch.Tensor = adapt_input_conv(channels, weight)
    return made
