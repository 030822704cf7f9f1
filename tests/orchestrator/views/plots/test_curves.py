"""Curves as braille dots: what stands where, told apart without colours."""

from __future__ import annotations

import math

import pytest

from orchestrator.views.plots.axes import Frame, ticks
from orchestrator.views.plots.canvas import Canvas, Piece
from orchestrator.views.plots.curves import Curve, drawn, namer


def text_of(lines: tuple[tuple[Piece, ...], ...]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_dots_make_braille_characters_and_what_lies_outside_is_nothing() -> None:
    canvas = Canvas(2, 1)
    canvas.line((0, 0), (3, 3), "a")
    canvas.dot(4, 0, "a")
    canvas.dot(0, -1, "a")
    assert canvas.lines() == ((Piece("⠑⢄", "a"),),)


def test_a_cell_has_the_style_of_what_was_drawn_last_and_text_lies_above() -> None:
    canvas = Canvas(3, 1)
    canvas.line((0, 0), (5, 0), "a")
    canvas.dot(2, 3, "b")
    canvas.write(2, 0, "x", "c")
    canvas.write(0, 5, "outside")
    assert canvas.lines() == ((Piece("⠉", "a"), Piece("⡉", "b"), Piece("x", "c")),)


@pytest.mark.parametrize(
    ("low", "high", "most", "whole", "found"),
    [
        (0.47, 0.93, 6, False, (0.5, 0.6, 0.7, 0.8, 0.9)),
        (0, 12, 4, True, (0, 5, 10)),
        (1, 3, 10, True, (1, 2, 3)),
        (0.0, 0.0, 4, False, ()),
        (0.0, math.inf, 4, False, ()),
        (-3.0, 3.0, 3, False, (-2, 0, 2)),
    ],
)
def test_ticks_are_round_numbers(
    low: float, high: float, most: int, whole: bool, found: tuple[float, ...]
) -> None:
    assert ticks(low, high, most, whole=whole) == pytest.approx(found)


def test_numbers_of_an_axis_have_the_digits_that_tell_them_apart() -> None:
    assert [namer((0.8, 0.85, 0.9))(value) for value in (0.8, 0.85)] == ["0.80", "0.85"]
    assert namer((0, 10, 20))(10) == "10"
    assert namer((0.0, 1e9))(1e9) == "1.0e+09"


def test_a_frame_keeps_values_inside() -> None:
    frame = Frame(left=5, width=10, height=4, low_x=0, high_x=1, low_y=0, high_y=1)
    assert (frame.cell(0, 0), frame.cell(1, 1), frame.cell(7, -7)) == ((5, 3), (14, 0), (14, 3))


def test_each_curve_carries_its_mark_and_numbers_stand_beside_the_axes() -> None:
    curves = [
        Curve("b", "base", ((1, 0.5), (12, 0.8)), dotted=True),
        Curve("0", "zero", tuple((epoch, 0.4 + epoch / 30) for epoch in range(1, 13))),
        Curve("1", "one", ((1, 0.45), (2, 0.5), (3, math.nan), (4, 0.6))),
    ]
    lines = text_of(drawn(curves, 60, 14, last_x=12))
    assert len(lines) == 14
    assert {len(line) for line in lines} == {60}
    assert lines[-1].split() == ["2", "4", "6", "8", "10", "12"]
    assert "0.8┤" in "\n".join(lines)
    assert lines[0].rstrip().endswith("0b"), "the marks of their ends stand side by side"
    inside = "".join(line[4:] for line in lines[:-2])
    assert all(mark in inside for mark in "01b")


@pytest.mark.parametrize(
    "points",
    [(), ((1.0, math.nan),), ((math.inf, 1.0),), ((1.0, 1e308),)],
    ids=["none", "nan", "inf", "huge"],
)
def test_where_nothing_is_finite_nothing_is_drawn(points: tuple[tuple[float, float], ...]) -> None:
    assert drawn([Curve("0", "", points)], 40, 10) == ()


def test_where_there_is_no_room_nothing_is_drawn() -> None:
    assert drawn([Curve("0", "", ((1, 1), (2, 2)))], 10, 3) == ()


@pytest.mark.parametrize("values", [(0.5, 0.5), (0.0, 0.0), (-1e149, 1e149), (1e-9, 2e-9)])
def test_any_finite_values_can_be_drawn(values: tuple[float, float]) -> None:
    points = tuple((float(epoch), value) for epoch, value in enumerate(values, 1))
    assert any("0" in line for line in text_of(drawn([Curve("0", "", points)], 50, 10)))
