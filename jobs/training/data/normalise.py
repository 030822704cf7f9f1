"""From stored pixels to what a network expects, on the device: uint8 is a quarter of the copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from jobs.training.network.model import Floats


class Normalise(nn.Module):
    """(B, C, H, W) of the stored dtype -> float32 (x - mean) / std per channel, stored units."""

    def __init__(self, mean: Floats, std: Floats) -> None:
        super().__init__()
        # A constant channel has no deviation: it becomes zero instead of a division by zero.
        std = tuple(s if s > 0 else 1.0 for s in std)
        shape = (1, len(mean), 1, 1)
        self.register_buffer("mean", torch.tensor(mean).reshape(shape), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(shape), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = images.to(torch.float32, copy=True)
        if not values.is_contiguous(memory_format=torch.channels_last):
            return values.sub_(self.mean).div_(self.std)
        # A line of pixels at a time: a CPU takes a seventh of the time that it needs for three
        # values at a time, with the same result to the bit.
        width = images.shape[3]
        lines = values.permute(0, 2, 3, 1).flatten(2)
        lines.sub_(self.mean.flatten().repeat(width)).div_(self.std.flatten().repeat(width))
        return values


def moments_for(
    *,
    pretrained: tuple[Floats, Floats] | None,
    has_weights: bool,
    dtype: str,
    mean: Floats,
    std: Floats,
) -> tuple[Floats, Floats]:
    """(mean, std) in stored units: those of the weights' training data, else those of the
    pictures that train.

    Pretrained networks were trained on pictures scaled to 0..1; only uint8 is known to be that
    times 255.
    """
    if has_weights and pretrained is not None and dtype == "uint8":
        return tuple(m * 255 for m in pretrained[0]), tuple(s * 255 for s in pretrained[1])
    return mean, std


FAR_SHIFT, FAR_SCALE = 1.0, 3.0
"""Deviations between two means, and ratio of two deviations, from which on weights see pictures
that are unlike those they know."""


@dataclass(frozen=True)
class Apart:
    """How far pictures are from what weights were trained on, in their worst channels."""

    shift: float
    """Distance of the means, in deviations of what the weights expect."""
    scale: float
    """The larger deviation by the smaller one, at least 1."""
    sentence: str
    """Both, for a person."""

    @property
    def far(self) -> bool:
        return self.shift > FAR_SHIFT or self.scale > FAR_SCALE


def apart(own: tuple[Floats, Floats], expected: tuple[Floats, Floats]) -> Apart:
    """Of (mean, std) per channel, both in stored units: the pictures' and the weights'."""
    channels = list(zip(*own, *expected, strict=True))
    shifts = [abs(mean - wanted) / (spread or 1.0) for mean, _, wanted, spread in channels]
    scales = [
        max(std, spread) / min(std, spread) if min(std, spread) > 0 else math.inf
        for _, std, _, spread in channels
    ]
    shift, scale = max(shifts), max(scales)
    sentence = (
        f"the pictures that train have mean {_listed(own[0])} and deviation {_listed(own[1])}, "
        f"the weights expect {_listed(expected[0])} and {_listed(expected[1])}: "
        f"{shift:.1f} deviations apart, {scale:.1f} × {_wider(channels, scales)}"
    )
    return Apart(shift, scale, sentence)


def _wider(channels: Sequence[tuple[float, ...]], scales: list[float]) -> str:
    _, std, _, spread = channels[scales.index(max(scales))]
    return "wider" if std >= spread else "narrower"


def _listed(values: Floats) -> str:
    return " ".join(f"{value:.3g}" for value in values)
