"""What stands under `with:` of `predict`. Nothing here imports torch or NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jobs.training.recipe.choices import Precision

BETA = {"flip": 0.5, "crops": 0.25}
"""Of one mirrored view both count the same; of several crops it is fastai's `tta`."""

VIEWS = 4
MEASURED = 500

Cells = Literal["auto", "label", "number", "probability"]


class Params(BaseModel):
    """How `predict` predicts, and what it writes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    tta: Literal["none", "flip", "crops"] = "none"
    """Test-time augmentation: `flip` looks at the mirror image as well, `crops` at `views` parts
    of 7/8 of each side, from the corners."""
    views: int = Field(default=VIEWS, ge=1, le=8)
    """Of `crops`: the corners, then the corners mirrored."""
    beta: float | None = Field(default=None, ge=0, le=1)
    """How much the picture as it is counts beside the mean of its views: 0.5 for `flip`, 0.25 for
    `crops`."""
    measure: int = Field(default=MEASURED, ge=0)
    """Held-out training pictures on which the gain of `tta` is measured; 0 is none."""
    batch_size: int = Field(default=64, ge=1)
    precision: Precision = "auto"
    """As in the recipe of `train`."""
    submission: Path | None = None
    """The sample submission of a competition, a CSV file: `submission.csv` is written like it."""
    id: str = ""
    """Its column of ids; the first one by default."""
    cells: Cells = "auto"
    """What a single column of a class target wants: the `label`, its `number` in the order of
    classes, or the `probability` of `positive`. By default what the sample's cells look like."""
    positive: str = ""
    """Of two classes the one whose probability is wanted; the second by default."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Probability from which a picture has a label of a multi-label target."""
    separator: str = Field(default=" ", min_length=1)
    """Between the labels of a multi-label target in one cell."""
    on_missing: Literal["refuse", "sample"] = "refuse"
    """Of ids without a picture that could be used: `sample` leaves the sample's own cells."""

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        if self.beta is not None and self.tta == "none":
            raise ValueError("beta: weighs the views of `tta`, which is none")
        if self.views != VIEWS and self.tta != "crops":
            raise ValueError(f"views: counts the views of `tta: crops`, and tta is {self.tta}")
        if self.measure != MEASURED and self.tta == "none":
            raise ValueError("measure: is about the gain of `tta`, which is none")
        told = [n for n in ("id", "positive") if getattr(self, n)]
        told += [
            n
            for n, usual in (("cells", "auto"), ("on_missing", "refuse"))
            if getattr(self, n) != usual
        ]
        if told and self.submission is None:
            raise ValueError(f"{told[0]}: is about a `submission`, and there is none")
        return self

    @property
    def plain_share(self) -> float:
        """What the picture as it is counts beside its views."""
        return BETA[self.tta] if self.beta is None else self.beta
