from __future__ import annotations

from orchestrator.views.plots.glyphs import bar, sparkline


def test_a_sparkline_goes_from_the_lowest_to_the_highest_value() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0.9, 0.5]) == "█▁"


def test_a_sparkline_of_equal_values_stands_in_the_middle() -> None:
    assert sparkline([0.5, 0.5]) == "▄▄"
    assert sparkline([]) == ""


def test_a_value_that_is_no_number_is_crossed_and_does_not_bend_the_others() -> None:
    assert sparkline([0.0, float("nan"), 1.0, float("inf")]) == "▁×█×"
    assert sparkline([float("nan")]) == "×"
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"


def test_only_the_newest_values_are_drawn_where_there_is_little_room() -> None:
    assert sparkline([9, 0, 1], width=2) == "▁█"


def test_a_bar_is_full_only_when_all_is_done() -> None:
    assert bar(4 / 12, 12) == "▮▮▮▮▯▯▯▯▯▯▯▯"
    assert bar(0.999, 4) == "▮▮▮▯"
    assert bar(1, 4) == "▮▮▮▮"
    assert [bar(epoch / 49, 49).count("▮") for epoch in range(50)] == [*range(50)]


def test_a_bar_stays_inside_its_width() -> None:
    assert bar(7, 3) == "▮▮▮"
    assert bar(-1, 3) == bar(float("nan"), 3) == "▯▯▯"
