"""Brightness, contrast, saturation and hue of one picture, of whatever bands it is.

Pictures of 8 bits with one or three channels go through torchvision; others are multiplied, or
drawn to the mean of each band, and kept within the range of their dtype.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torchvision.transforms.v2 import functional as F

Change = Callable[[torch.Tensor, float], torch.Tensor]
"""A picture (C, H, W) and a factor (of hue: a shift) to a picture of the same dtype."""


def changes(channels: int, dtype: str) -> dict[str, Change]:
    """What can be done to pictures of `channels`, which are stored as `dtype`, by field name."""
    if dtype == "uint8" and channels in (1, 3):
        usual: dict[str, Change] = {
            "brightness": F.adjust_brightness,
            "contrast": F.adjust_contrast,
        }
        if channels == 3:
            usual |= {"saturation": F.adjust_saturation, "hue": F.adjust_hue}
        return usual
    return {"brightness": Scaled(dtype), "contrast": Stretched(dtype)}


class Scaled:
    """Every value times the factor."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __call__(self, image: torch.Tensor, factor: float) -> torch.Tensor:
        return within(image.float() * factor, self.dtype, image.dtype)


class Stretched:
    """Every value's distance to the mean of its band, times the factor."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __call__(self, image: torch.Tensor, factor: float) -> torch.Tensor:
        values = image.float()
        mean = values.mean(dim=(-2, -1), keepdim=True)
        return within(mean + (values - mean) * factor, self.dtype, image.dtype)


def within(values: torch.Tensor, stored: str, dtype: torch.dtype) -> torch.Tensor:
    """`values` cut to the range of the `stored` integers, as `dtype`; numbers have no range."""
    if np.issubdtype(np.dtype(stored), np.integer):
        bounds = np.iinfo(stored)
        values = values.clamp(bounds.min, bounds.max)
    if not dtype.is_floating_point:
        values = values.round()
    return values.to(dtype)
