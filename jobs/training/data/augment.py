"""Augmentation of training pictures, a batch at a time, by the seeds of its pictures alone.

What is drawn for a picture is a function of (seed, epoch, row) and of the field: switching on one
field leaves what the others draw as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from jobs.training.data.boxes import PLACES, boxes
from jobs.training.data.colour import Change, changes
from jobs.training.data.draws import Seeds, uniforms
from jobs.training.data.trivial import trivial
from jobs.training.recipe.augmentation import NAMED, Augmentation
from jobs.training.recipe.choices import AugmentName
from skint.errors import SkintError

COLOURS = ("brightness", "contrast", "saturation", "hue")
ERASED_SHARE, ERASED_RATIO = (0.02, 0.33), (0.3, 3.3)
"""Those of Random Erasing (arXiv 1708.04896)."""

# Where in the stream of a picture's seed each field draws.
CROP, MIRROR, UPSIDE, TURN, COLOUR, TRIVIAL, ERASE = 0, 20, 21, 22, 23, 27, 30


class AugmentError(SkintError):
    """The augmentation does not work on pictures of this kind."""


def make_augment(
    given: AugmentName | Augmentation,
    shape: tuple[int, int, int],
    dtype: str,
    mean: Sequence[float],
) -> Augment | None:
    """What a recipe's `augment` does to pictures of `shape` (C, H, W) stored as `dtype`.

    `mean`, a value for each channel in stored units, is what stands where there is no picture.
    None where nothing is changed. Raises AugmentError where a field does not fit the pictures.
    """
    fields = NAMED[given] if isinstance(given, str) else given
    changed = {
        name
        for name in Augmentation.model_fields
        if getattr(fields, name) != Augmentation.model_fields[name].default
    } - {"crop_ratio"}
    _refuse(changed, shape, dtype)
    if shape[1:] == (1, 1):
        changed -= {"flip_horizontal", "flip_vertical"}
    return Augment(fields, shape, dtype, mean) if changed else None


class Augment:
    """Fits `skint.loader.KeyedAugment`: it may run in the thread that reads ahead."""

    def __init__(
        self,
        fields: Augmentation,
        shape: tuple[int, int, int],
        dtype: str,
        mean: Sequence[float],
    ) -> None:
        self.fields = fields
        self.size = shape[1:]
        self.mean = [float(value) for value in mean]
        able = changes(shape[0], dtype)
        self.colours: list[tuple[int, float, Change]] = [
            (COLOUR + number, reach, able[name])
            for number, name in enumerate(COLOURS)
            if (reach := getattr(fields, name))
        ]
        """Place in the stream, reach and function of what is changed."""

    def batch(self, images: torch.Tensor, seeds: Seeds) -> None:
        """Change (B, C, H, W) in place, each picture by its own seed."""
        fields = self.fields
        crops = self._crops(seeds)
        mirrored = uniforms(seeds, MIRROR, 1)[:, 0] < fields.flip_horizontal
        upside = uniforms(seeds, UPSIDE, 1)[:, 0] < fields.flip_vertical
        angles = (2 * uniforms(seeds, TURN, 1)[:, 0] - 1) * fields.rotate_deg
        colours = [
            (change, (2 * uniforms(seeds, place, 1)[:, 0] - 1) * reach)
            for place, reach, change in self.colours
        ]
        kinds = uniforms(seeds, TRIVIAL, 3) if fields.trivial else None
        for n, original in enumerate(images):
            image = original
            if crops is not None:
                image = self._cropped(image, crops[n].tolist())
            ways = [*([-1] if mirrored[n] else []), *([-2] if upside[n] else [])]
            if ways:
                image = image.flip(ways)
            if fields.rotate_deg:
                image = F.rotate(
                    image, float(angles[n]), InterpolationMode.BILINEAR, fill=self.mean
                )
            for change, by in colours:
                # A shift of hue; of the others a factor around 1.
                amount = float(by[n]) if change is F.adjust_hue else 1 + float(by[n])
                image = change(image, amount)
            if kinds is not None:
                image = trivial(image, kinds[n].tolist(), self.mean)
            if image is not original:
                original.copy_(image)
        if fields.erase:
            self._erase(images, seeds)

    def _crops(self, seeds: Seeds) -> NDArray[np.int64] | None:
        share, ratio = self.fields.crop_scale, self.fields.crop_ratio
        if share is None:
            return None
        return boxes(seeds, CROP, size=self.size, share=share, ratio=ratio)

    def _cropped(self, image: torch.Tensor, box: list[int]) -> torch.Tensor:
        if box[2:] == list(self.size):
            return image
        return F.resized_crop(image, *box, size=list(self.size), antialias=True)

    def _erase(self, images: torch.Tensor, seeds: Seeds) -> None:
        hit = uniforms(seeds, ERASE, 1)[:, 0] < self.fields.erase
        blanks = boxes(seeds, ERASE + 1, size=self.size, share=ERASED_SHARE, ratio=ERASED_RATIO)
        blank = torch.tensor(self.mean).reshape(-1, 1, 1).to(images.dtype)
        for n in np.flatnonzero(hit).tolist():
            top, left, height, width = blanks[n].tolist()
            images[n, :, top : top + height, left : left + width] = blank


def named(given: AugmentName | Augmentation) -> str:
    """For a sentence: `flip`, or the fields that differ from doing nothing."""
    if isinstance(given, str):
        return given
    said = given.model_dump(exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in said.items()) or "none"


def _refuse(changed: set[str], shape: tuple[int, int, int], dtype: str) -> None:
    channels, height, width = shape
    kind = f"{channels} channel{'s' if channels > 1 else ''} of {dtype}"
    coloured = sorted(changed & {"saturation", "hue"})
    if coloured and (channels != 3 or dtype != "uint8"):
        raise AugmentError(
            f"augment: {' and '.join(coloured)} are of colours, which these pictures do not have",
            got=kind,
            wanted="3 channels of uint8",
            next="use brightness and contrast: they work on any bands",
        )
    if "trivial" in changed and (channels not in (1, 3) or dtype != "uint8"):
        raise AugmentError(
            "augment: trivial needs ordinary pictures",
            got=kind,
            wanted="1 or 3 channels of uint8",
            next="use augment: flip or light, or fields: they work on any bands",
        )
    spatial = sorted(changed - {"flip_horizontal", "flip_vertical"})
    if (height, width) == (1, 1) and spatial:
        raise AugmentError(
            f"augment: {spatial[0]} is for pictures, and these are features",
            got=f"{channels} numbers a sample",
            wanted="augment: none",
        )
    if "rotate_deg" in changed and min(height, width) < 2:
        raise AugmentError("augment: nothing can be turned", got=f"{height} × {width} pixels")


assert TRIVIAL + 3 <= ERASE and CROP + PLACES <= MIRROR
