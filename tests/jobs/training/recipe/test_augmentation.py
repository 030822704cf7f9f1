from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.training.recipe.augmentation import NAMED, Augmentation
from jobs.training.recipe.recipe import Recipe


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"crop_scale": [0.9, 0.5]}, "the first is the least"),
        ({"crop_scale": [0, 0.5]}, "above 0"),
        ({"crop_scale": [0.5, 1.5]}, "less than or equal to 1"),
        ({"crop_scale": [0.5, 1], "crop_ratio": [2, 1]}, "crop_ratio: the first is the least"),
        ({"crop_ratio": [0.5, 2]}, "crop_scale does not ask for any"),
        ({"hue": 0.6}, "less than or equal to 0.5"),
        ({"flip": 0.5}, "Extra inputs are not permitted"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Augmentation.model_validate(fields)


def test_fields_that_were_written_down_whole_are_read_again() -> None:
    for given in (*NAMED.values(), Augmentation(rotate_deg=15)):
        recipe = Recipe(model="net:Net", augment=given)
        assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe
