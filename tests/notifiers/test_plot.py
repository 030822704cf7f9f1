from __future__ import annotations

import io
import warnings
from math import inf, nan

import numpy as np
import pytest
from PIL import Image

from notifiers.base import Curve
from notifiers.plot import COLOURS, alt_text, learning_curve_png


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has_colour(image: np.ndarray, colour: str) -> bool:
    wanted = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return bool((np.abs(image.astype(int) - wanted).max(axis=-1) <= 2).any())


def test_each_fold_is_drawn_in_a_colour_of_its_own() -> None:
    rising = ((1.0, 0.2), (2.0, 0.6), (3.0, 0.8))
    one = pixels(learning_curve_png(Curve("t", "val_acc", {"fold 0": rising})))
    shifted = tuple((x, y / 2) for x, y in rising)
    two = pixels(learning_curve_png(Curve("t", "val_acc", {"fold 0": rising, "fold 1": shifted})))
    assert one.shape == two.shape == (540, 960, 3)
    assert has_colour(one, COLOURS[0])
    assert not has_colour(one, COLOURS[1])
    assert has_colour(two, COLOURS[0])
    assert has_colour(two, COLOURS[1])


def test_the_same_curve_gives_the_same_bytes() -> None:
    curve = Curve("t", "val_acc", {"fold 0": ((1.0, 0.2), (2.0, 0.6))})
    assert learning_curve_png(curve) == learning_curve_png(curve)


@pytest.mark.parametrize(
    "series",
    [
        {},
        {"fold 0": ()},
        {"fold 0": ((1.0, 0.5),)},
        {"fold 0": ((1.0, 2.0), (2.0, nan), (3.0, inf))},
        {"fold 0": ((1.0, nan), (2.0, nan))},
        {"_hidden $x^{": ((1.0, 0.5),), "": ((1.0, 0.4),)},
        {f"fold {fold}": ((1.0, fold / 20), (2.0, fold / 10)) for fold in range(20)},
    ],
)
def test_odd_curves_are_drawn_without_a_warning(
    series: dict[str, tuple[tuple[float, float], ...]],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = pixels(learning_curve_png(Curve("cost in $ and {$", "val_$acc$", series)))
    assert image.shape == (540, 960, 3)


def test_a_single_epoch_is_visible() -> None:
    image = pixels(learning_curve_png(Curve("t", "m", {"fold 0": ((1.0, 0.5),)})))
    assert has_colour(image[:, 100:860], COLOURS[0])


def test_the_alternative_text_says_the_last_values() -> None:
    series = {"fold 0": ((1.0, 0.25), (2.0, 0.9021)), "fold 1": ((1.0, nan),), "fold 2": ()}
    assert alt_text(Curve("seedlings-1", "val_acc", series)) == (
        "seedlings-1. val_acc by epoch: fold 0 0.9021 at epoch 2; "
        "fold 1 not a number at epoch 1; fold 2 has no values yet."
    )
