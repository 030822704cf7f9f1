"""Pictures mixed in pairs, and their labels with them: mixup and CutMix.

What is drawn is a function of (seed, epoch, batch): a resumed run mixes the same pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from jobs.training.recipe.recipe import Recipe
from skint.errors import SkintError

MIXING = 0x6D6978
"""Sets the draws apart from those of the order and the augmentation."""


class MixingError(SkintError):
    """These samples cannot be mixed in this way."""


def refuse_unmixable(recipe: Recipe, shape: tuple[int, int, int]) -> None:
    """Raise MixingError where samples of `shape` (C, H, W) are too small for rectangles."""
    if recipe.cutmix and shape[1:] == (1, 1):
        raise MixingError(
            "cutmix cuts rectangles out of pictures, and these are features",
            where="cutmix",
            got=f"{shape[0]} numbers a sample",
            next="mixup mixes numbers as well",
        )


@dataclass(frozen=True)
class Mix:
    """How one batch is mixed."""

    partner: torch.Tensor
    """(B,) int64, on the host: position of each picture's partner in the batch."""
    share: float
    """Of each picture's own label; the partner's is the rest."""
    box: tuple[int, int, int, int] | None
    """CutMix: (top, bottom, left, right) that comes from the partner; None for mixup."""

    def images(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) floats -> the same, mixed, in memory of its own."""
        others = images[self.partner.to(images.device)]
        if self.box is None:
            return torch.lerp(others, images, self.share)
        top, bottom, left, right = self.box
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
        return mixed

    def labels(self, labels: Any) -> Any:
        """The partners': (B, ...) of one target, or a dict of them."""
        if isinstance(labels, Mapping):
            return {name: self.labels(column) for name, column in labels.items()}
        return labels[self.partner.to(labels.device)]


@dataclass(frozen=True)
class Mixing:
    """Draws a Mix for each batch."""

    seed: int
    mixup: float
    """Alpha of the Beta distribution of the share; 0 is off (arXiv 1710.09412)."""
    cutmix: float
    """The same of the share of the area (arXiv 1905.04899); with both, each batch draws one."""

    def __bool__(self) -> bool:
        return self.mixup > 0 or self.cutmix > 0

    def draw(self, epoch: int, batch: int, size: int, height: int, width: int) -> Mix:
        """For batch number `batch` of `epoch`, of `size` pictures of `height` by `width`."""
        rng = np.random.default_rng([self.seed, epoch, batch, MIXING])
        partner = torch.from_numpy(rng.permutation(size))
        cuts = self.cutmix > 0 and (self.mixup == 0 or bool(rng.integers(2)))
        alpha = self.cutmix if cuts else self.mixup
        share = float(rng.beta(alpha, alpha))
        if not cuts:
            return Mix(partner, share, None)
        # The box may stick out: it is cut off there, and what is left of it counts.
        tall, wide = ((1 - share) ** 0.5 * side for side in (height, width))
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        top, bottom = (int(np.clip(round(y + d * tall / 2), 0, height)) for d in (-1, 1))
        left, right = (int(np.clip(round(x + d * wide / 2), 0, width)) for d in (-1, 1))
        area = (bottom - top) * (right - left)
        return Mix(partner, 1 - area / (height * width), (top, bottom, left, right))
