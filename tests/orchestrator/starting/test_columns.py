"""What a column could mean."""

from __future__ import annotations

import pytest

from orchestrator.starting.columns import (
    Guess,
    guess_of,
    likeliest,
    one_column_each,
    same_classes,
    target_name,
)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["a", "b", "a", "b"], "class"),
        (["0", "1", "0", "1"], "class"),
        (["3", "1", "", "3", "1"], "class"),
        ([str(n) for n in range(99)], "value"),
        (["0.5", "1.25", "0.5", "2"], "value"),
        (["a b", "a", "b", "a b"], "multilabel"),
        (["x,y", "y", "x", "x,y"], "multilabel"),
        (["common wheat", "maize", "maize", "common wheat"], "class"),
        (["a", "a", "a"], None),
        (["", "nan", ""], None),
        ([f"name{n}" for n in range(9)], None),
        (["2024-01-02", "2024-02-03", "2024-01-02"], None),
        (["a word", "some more words", "and others", "no two alike"], None),
    ],
)
def test_the_cells_say_what_a_column_could_teach(cells: list[str], kind: str | None) -> None:
    guess = guess_of("it", cells)
    assert (guess.kind if guess else None) == kind


def test_labels_are_counted_by_picture() -> None:
    guess = guess_of("tags", ["a|b", "a", "a|b", "", "a|b"])
    assert guess is not None
    assert (guess.split, dict(guess.counts), guess.known) == ("|", {"a": 4, "b": 3}, 4)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (["100", "010", "001"], "class"),
        (["110", "010", "001"], "multilabel"),
        (["100", "100", "010"], None),  # no third class in it
    ],
)
def test_columns_of_ones_are_a_class_each(rows: list[str], kind: str | None) -> None:
    columns = {name: [row[number] for row in rows] for number, name in enumerate("xyz")}
    guess = one_column_each(columns, "xyz")
    assert (guess.kind if guess else None) == kind


def test_what_is_asked_for_comes_first_then_what_is_called_like_it() -> None:
    named = Guess("breed", "class", "breed", counts={"a": 1, "b": 1})
    other = Guess("colour", "class", "colour", counts={"red": 1, "blue": 1})
    number = Guess("weight", "value", "weight")
    assert likeliest([number, other, named]) == [named, other, number]
    assert likeliest([number, other, named], ("weight",))[0] == number
    assert likeliest([number, other, named], ("blue", "red"))[0] == other


def test_a_class_and_its_number_say_the_same() -> None:
    assert same_classes(["cat", "dog", "cat"], ["0", "1", "0"])
    assert not same_classes(["cat", "dog", "cat"], ["0", "1", "1"])


@pytest.mark.parametrize(
    ("column", "name"),
    [("breed", "breed"), ("my label", "my_label"), ("1st", "target_1st"), ("width", "my_width")],
)
def test_a_target_has_a_name_that_scan_takes(column: str, name: str) -> None:
    assert target_name(column) == name
