"""Augmentations of one training picture, from torchvision's `transforms.v2`.

They draw from torch's CPU generator only; the loader seeds it per picture (`skint.loader`).
"""

from __future__ import annotations

from typing import Literal

import torch
from torchvision.transforms import v2

from skint.errors import SkintError
from skint.loader import Augment


class AugmentError(SkintError):
    """The augmentation does not work on pictures of this kind."""


def make_augment(
    name: Literal["none", "flip", "light", "trivial"], shape: tuple[int, int, int], dtype: str
) -> Augment | None:
    """A function of one picture (C, H, W); `shape` is (C, H, W), `dtype` NumPy's name."""
    channels, height, width = shape
    if name == "none":
        return None
    steps: list[torch.nn.Module] = [v2.RandomHorizontalFlip()]
    if name == "light":
        steps.insert(0, v2.RandomResizedCrop((height, width), scale=(0.6, 1.0), ratio=(0.9, 1.1)))
    elif name == "trivial":
        if channels not in (1, 3) or dtype != "uint8":
            raise AugmentError(
                "augment: trivial needs ordinary pictures",
                got=f"{channels} channels of {dtype}",
                wanted="1 or 3 channels of uint8",
                next="use augment: flip or light",
            )
        steps.append(v2.TrivialAugmentWide())
    compose: Augment = v2.Compose(steps)
    return compose
