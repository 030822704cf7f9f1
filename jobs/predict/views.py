"""Test-time augmentation: other looks at the same pictures."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn import functional

from jobs.predict.params import Params

SHARE = 7 / 8
"""Of each side, in a crop."""
CORNERS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""(bottom, right): opposite ones first, so that two crops see the whole picture."""


def views_of(pixels: torch.Tensor, params: Params) -> Iterator[torch.Tensor]:
    """Views of (B, C, H, W) float pixels, of the same shape."""
    if params.tta == "flip":
        yield pixels.flip(3)
        return
    height, width = pixels.shape[2:]
    high, wide = max(1, round(height * SHARE)), max(1, round(width * SHARE))
    for number in range(params.views):
        bottom, right = CORNERS[number % 4]
        top, left = bottom * (height - high), right * (width - wide)
        part = pixels[:, :, top : top + high, left : left + wide]
        part = functional.interpolate(part, (height, width), mode="bilinear", align_corners=False)
        yield part.flip(3) if number >= len(CORNERS) else part


def passes(params: Params) -> int:
    """How often a network looks at a picture."""
    return {"none": 1, "flip": 2, "crops": 1 + params.views}[params.tta]
