"""How training pictures are varied, with every range as a field.

Nothing here imports torch, so that a plan can be checked without it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from jobs.training.recipe.choices import AugmentName, word_or_fields

Share = Annotated[float, Field(ge=0, le=1)]


class Augmentation(BaseModel):
    """What is drawn for each picture in each epoch; the defaults change nothing.

    In this order: crop, mirror, turn, colours, TrivialAugment, erase.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    crop_scale: tuple[Share, Share] | None = None
    """Share of the picture's area that a crop has, least and most; it is resized to the whole."""
    crop_ratio: tuple[float, float] = (0.75, 4 / 3)
    """Width by height of a crop, least and most, relative to the picture's."""
    flip_horizontal: Share = 0.0
    """How often left and right are changed."""
    flip_vertical: Share = 0.0
    """How often top and bottom are changed: for pictures from above."""
    rotate_deg: float = Field(default=0.0, ge=0, le=180)
    """Turned by up to so much either way; what comes in from outside is the set's mean."""
    brightness: float = Field(default=0.0, ge=0, le=1)
    """0.5 multiplies by 0.5 to 1.5; the same for contrast and saturation."""
    contrast: float = Field(default=0.0, ge=0, le=1)
    saturation: float = Field(default=0.0, ge=0, le=1)
    """As hue, for uint8 with 3 channels."""
    hue: float = Field(default=0.0, ge=0, le=0.5)
    """Shifted by up to so much of the colour circle, either way."""
    trivial: bool = False
    """TrivialAugmentWide (arXiv 2103.10158), for uint8 with 1 or 3 channels."""
    erase: Share = 0.0
    """How often a rectangle of 2 to 33 % of the picture is blanked (arXiv 1708.04896)."""

    @model_validator(mode="after")
    def _ranges(self) -> Augmentation:
        for name in ("crop_scale", "crop_ratio"):
            given = getattr(self, name)
            if given is not None and not 0 < given[0] <= given[1]:
                raise ValueError(f"{name}: the first is the least and above 0, not {list(given)}")
        ratio = type(self).model_fields["crop_ratio"].default
        if self.crop_scale is None and self.crop_ratio != ratio:
            raise ValueError("crop_ratio is that of crops, and crop_scale does not ask for any")
        return self


Augment = Annotated[
    Annotated[AugmentName, Tag("word")] | Annotated[Augmentation, Tag("fields")],
    Discriminator(word_or_fields),
]
"""What a recipe may say."""

NAMED: dict[str, Augmentation] = {
    "none": Augmentation(),
    "flip": Augmentation(flip_horizontal=0.5),
    "light": Augmentation(flip_horizontal=0.5, crop_scale=(0.6, 1.0), crop_ratio=(0.9, 1.1)),
    "trivial": Augmentation(flip_horizontal=0.5, trivial=True),
}
"""What stands behind the words."""
