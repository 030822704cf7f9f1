"""TrivialAugmentWide (arXiv 2103.10158): one change a picture, of any strength.

torchvision's own class draws from torch's one generator, which the thread that reads ahead must
not touch; here the change and its strength are arguments. What is done is torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torchvision.transforms.v2 import functional as F

STRENGTHS = 31
"""Steps from no change to the strongest."""

Change = Callable[[torch.Tensor, float, list[float]], torch.Tensor]
"""(image, strength, fill); `strength` is -1 to 1, or 0 to 1 where a sign has no meaning."""


def trivial(image: torch.Tensor, draws: Sequence[float], fill: list[float]) -> torch.Tensor:
    """`image` (C, H, W) uint8 with 1 or 3 channels; three `draws` in [0, 1) choose.

    `fill`, a value for each channel, is what comes in from outside.
    """
    change, signed = CHANGES[int(draws[0] * len(CHANGES))]
    strength = int(draws[1] * STRENGTHS) / (STRENGTHS - 1)
    if signed and draws[2] < 0.5:
        strength = -strength
    return change(image, strength, fill)


def _sheared(image: torch.Tensor, x: float, y: float, fill: list[float]) -> torch.Tensor:
    shear = [math.degrees(math.atan(0.99 * way)) for way in (x, y)]
    return F.affine(image, 0.0, [0, 0], 1.0, shear, fill=fill, center=[0, 0])


def _moved(image: torch.Tensor, x: float, y: float, fill: list[float]) -> torch.Tensor:
    return F.affine(image, 0.0, [int(32 * x), int(32 * y)], 1.0, [0.0, 0.0], fill=fill)


CHANGES: tuple[tuple[Change, bool], ...] = (
    (lambda image, strength, fill: image, False),
    (lambda image, strength, fill: _sheared(image, strength, 0, fill), True),
    (lambda image, strength, fill: _sheared(image, 0, strength, fill), True),
    (lambda image, strength, fill: _moved(image, strength, 0, fill), True),
    (lambda image, strength, fill: _moved(image, 0, strength, fill), True),
    (lambda image, strength, fill: F.rotate(image, 135 * strength, fill=fill), True),
    (lambda image, strength, fill: F.adjust_brightness(image, 1 + 0.99 * strength), True),
    (lambda image, strength, fill: F.adjust_saturation(image, 1 + 0.99 * strength), True),
    (lambda image, strength, fill: F.adjust_contrast(image, 1 + 0.99 * strength), True),
    (lambda image, strength, fill: F.adjust_sharpness(image, 1 + 0.99 * strength), True),
    (lambda image, strength, fill: F.posterize(image, 8 - round(6 * strength)), False),
    (lambda image, strength, fill: F.solarize(image, 255 * (1 - strength)), False),
    (lambda image, strength, fill: F.autocontrast(image), False),
    (lambda image, strength, fill: F.equalize(image), False),
)
"""Each with whether its strength has a sign."""
