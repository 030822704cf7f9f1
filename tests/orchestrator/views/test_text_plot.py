"""Curves of characters."""

from __future__ import annotations

import pytest

from orchestrator.views.text_plot import Line, plot


def drawn(*lines: Line, width: int = 40, height: int = 6) -> list[str]:
    return plot(lines, title="val_acc", x_name="epoch", width=width, height=height)


def line(mark: str, *values: float) -> Line:
    points = tuple((float(epoch), value) for epoch, value in enumerate(values, 1))
    return Line(mark, f"fold {mark}", points)


def test_each_curve_has_its_own_mark_and_the_axes_have_their_ends() -> None:
    title, top, *middle, bottom, axis, legend = drawn(line("0", 0.5, 0.9), line("1", 0.7, 0.6))
    assert title == "val_acc" and legend.strip() == "0 fold 0 · 1 fold 1"
    assert top.startswith("0.9 ┤") and top.endswith("0"), "the first fold ends at the top right"
    assert bottom.startswith("0.5 ┤0"), "and begins at the bottom left"
    assert axis.split() == ["1", "epoch", "2"]
    assert any("1" in row for row in middle) and len(middle) == 4


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    picture = drawn(line("0", *(n % 7 / 7 for n in range(300))), width=width, height=10)
    assert max(map(len, picture)) <= width and len(picture) == 13


def test_points_are_joined_by_dots() -> None:
    picture = "".join(drawn(line("0", 0.0, 1.0)))
    assert sum(0x2801 <= ord(character) <= 0x28FF for character in picture) > 10


def test_one_point_and_equal_values_are_drawn_and_nothing_is_not() -> None:
    assert "0" in "".join(drawn(line("0", 0.5))[1:-2])
    assert drawn(line("0", 0.5, 0.5, 0.5))[1].startswith("0.5 ┤")
    assert drawn(line("0")) == [] and drawn() == []


def test_huge_values_do_not_overflow() -> None:
    assert len(drawn(line("0", -1.7e308, 1.7e308))) == 9


def test_where_marks_meet_the_earlier_curve_stands() -> None:
    picture = drawn(line("0", 0.1, 0.9), line("1", 0.1, 0.9))
    assert "1" not in "".join(picture[1:-2]).replace("0.1", "")
