"""What stands under `with:` of `features`. Nothing here imports torch or NumPy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.training.recipe.choices import Precision
from jobs.training.recipe.names import FEATURES, LITE0, unknown_model


class Params(BaseModel):
    """What `features` computes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = LITE0
    """A network as in the recipe of `train`: a name, or `module:Class` with an attribute `head`."""
    weights: str = "package"
    """Its weights: a FILE, `package` (those of `efficientnet-lite0`), or `none`, for a class that
    brings its own."""
    size: int | None = Field(default=None, ge=1)
    """Pixels a side: a rung of the packed set's ladder; by default its largest."""
    views: Literal["plain", "flip"] = "plain"
    """`flip`: the mean of the picture's features and its mirror image's, for twice the time."""
    like: str = ""
    """An entry that is a `features` of other pictures: normalise these as those. For new pictures
    that are to be predicted."""
    batch_size: int = Field(default=64, ge=1)
    precision: Precision = "auto"
    """As in the recipe of `train`."""
    dtype: Literal["float32", "float16"] = "float32"
    """How the features are stored; float16 takes half the room."""

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        if (complaint := unknown_model(model)) is not None:
            raise ValueError(complaint)
        return model

    @model_validator(mode="after")
    def _packaged(self) -> Params:
        if self.model in FEATURES:
            raise ValueError(f"{self.model} takes features; here a network for pictures is named")
        if self.weights == "package" and self.model != LITE0:
            raise ValueError(
                f"weights: package exists for model: {LITE0} only; for {self.model} name a file"
            )
        return self
