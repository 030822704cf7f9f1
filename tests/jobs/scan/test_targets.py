from __future__ import annotations

import pytest

from jobs.scan.targets import Wish, cell_of, found_targets, in_order, look_alikes
from skint.table import TableError


@pytest.mark.parametrize(
    ("wish", "row", "cell"),
    [
        (Wish("breed", "class", "breed"), {"breed": "pug"}, "pug"),
        (Wish("tags", "multilabel", "t"), {"t": "wet| dry |wet|"}, "dry|wet"),
        (Wish("tags", "multilabel", "t", split=" "), {"t": "wet dry"}, "dry|wet"),
        (Wish("tags", "multilabel", "t"), {"t": ""}, ""),
        (Wish("age", "value", "age"), {"age": "1e3"}, "1e3"),
        (Wish("age", "value", "age"), {"age": "NaN"}, ""),
        (Wish("age", "value", "age"), {"age": "-.5E+2"}, "-.5E+2"),
        (Wish("outline", "mask", "masks/{id}.png"), {"id": "7"}, "masks/7.png"),
        (Wish("outline", "mask", "m"), {"m": "masks\\7.png"}, "masks/7.png"),
        (Wish("outline", "mask", "masks/{id}.png"), {"id": ""}, ""),
        (
            Wish("ills", "multilabel", columns=("rust", "scab")),
            {"rust": "1", "scab": "1"},
            "rust|scab",
        ),
        (Wish("ill", "class", columns=("rust", "scab")), {"rust": "0", "scab": "True"}, "scab"),
        (Wish("ill", "class", columns=("rust", "scab")), {"rust": "0", "scab": "0.0"}, ""),
    ],
)
def test_a_row_becomes_a_cell(wish: Wish, row: dict[str, str], cell: str) -> None:
    assert cell_of(wish, row, "t.csv:2") == cell


@pytest.mark.parametrize(
    ("wish", "row", "words"),
    [
        (Wish("age", "value", "age"), {"age": "3,5"}, "age is not a number"),
        (Wish("age", "value", "age"), {"age": "inf"}, "not a number"),
        (Wish("age", "value", "age"), {"age": "1_000"}, "not a number"),
        (Wish("age", "value", "age"), {"age": "1e999"}, "not a number"),
        (Wish("ill", "class", columns=("a", "b")), {"a": "1", "b": "1"}, "has several"),
        (Wish("ill", "class", columns=("a",)), {"a": "0.7"}, "holds 0 or 1"),
        (Wish("tags", "multilabel", "t", split=" "), {"t": "a|b c"}, "stands between names"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused_with_its_line(
    wish: Wish, row: dict[str, str], words: str
) -> None:
    with pytest.raises(TableError, match=words) as error:
        cell_of(wish, row, "t.csv:2")
    assert error.value.where == "t.csv:2"


def test_classes_are_those_that_occur_and_all_columns_of_one_hot_targets() -> None:
    wishes = [
        Wish("breed", "class", "breed"),
        Wish("tags", "multilabel", "tags"),
        Wish("ills", "multilabel", columns=("rust", "scab")),
        Wish("age", "value", "age"),
    ]
    found = found_targets(
        wishes, [("10", "b|a", "rust", "1"), ("9", "", "", ""), ("", "c", "", "2")]
    )
    assert [target.classes for target in found] == [
        ("9", "10"),
        ("a", "b", "c"),
        ("rust", "scab"),
        (),
    ]


def test_names_are_sorted_as_numbers_only_where_all_are() -> None:
    assert in_order({"10", "9", "a"}) == ["10", "9", "a"]
    assert in_order({"010", "9"}) == ["9", "010"]


def test_names_that_differ_in_case_or_spaces_only_are_found() -> None:
    names = ["Hat", "hat", "T shirt", "t-shirt", "tshirt", "shoe"]
    assert look_alikes(names) == [("Hat", "hat"), ("T shirt", "tshirt")]
