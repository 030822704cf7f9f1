from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from jobs.errors.curves import HEIGHT, WIDTH, Curve, draw


def drawn(*points: tuple[float, float], folds: int = 1) -> ElementTree.Element:
    curves = [Curve(fold, "val_loss", points) for fold in range(folds)]
    return ElementTree.fromstring(draw(curves, "val_loss"))


@pytest.mark.parametrize(
    "points",
    [
        ((1, 0.5),),
        ((1, 0.5), (2, 0.5)),
        ((1, 1e-9), (2, 2e-9)),
        ((1, 0.1), (40, 12345.0)),
        ((3, -2.0), (9, 2.0)),
    ],
)
def test_every_point_lies_inside_the_drawing(points: tuple[tuple[float, float], ...]) -> None:
    line = drawn(*points).find("polyline")
    assert line is not None
    for x, y in (pair.split(",") for pair in line.attrib["points"].split()):
        assert 0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT


def test_a_falling_loss_falls_on_the_page() -> None:
    line = drawn((1, 2.0), (2, 1.0), (3, 0.5)).find("polyline")
    assert line is not None
    heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
    assert heights == sorted(heights)  # y grows downwards


def test_names_of_folds_that_end_together_do_not_cover_each_other() -> None:
    texts = [t for t in drawn((1, 1.0), (2, 0.5), folds=5).iter("text") if "fold" in (t.text or "")]
    heights = sorted(float(text.attrib["y"]) for text in texts)
    assert len(heights) == 5
    assert all(b - a >= 11.9 for a, b in pairwise(heights))


def test_folds_differ_by_colour_and_by_dash() -> None:
    lines = drawn((1, 1.0), (2, 0.5), folds=4).findall("polyline")
    assert len({line.attrib["stroke"] for line in lines}) == 4
    assert len({line.attrib["stroke-dasharray"] for line in lines}) == 4
