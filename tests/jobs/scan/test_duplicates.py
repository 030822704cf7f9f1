from __future__ import annotations

import pytest

from jobs.scan import duplicates
from jobs.scan.duplicates import Pair, Seen, find_doubles


def seen(path: str, sha256: str, phash: str = "", label: str = "hat", page: int = 0) -> Seen:
    return Seen(path, page, sha256, phash, {"label": label})


def quiet() -> None:
    """Nobody asks to stop."""


def told(pairs: object) -> list[tuple[str, int, str, str, str]]:
    assert isinstance(pairs, list)
    return [(pair.kind, pair.distance, pair.one.path, pair.scan, pair.first.path) for pair in pairs]


A, A2, A6, B = "f" * 16, "f" * 15 + "c", "f" * 14 + "03", "0" * 16


def test_a_picture_that_occurs_three_times_makes_two_pairs() -> None:
    mine = [seen("a", "1", A), seen("b", "1", A), seen("c", "2", B), seen("d", "1", A)]
    assert told(find_doubles(mine, {}, 4, quiet).pairs) == [
        ("exact", 0, "b", "", "a"),
        ("exact", 0, "d", "", "a"),
    ]


def test_near_pairs_name_the_earlier_picture_as_the_first() -> None:
    mine = [seen("a", "1", A2), seen("b", "2", B), seen("c", "3", A), seen("d", "4", A)]
    assert told(find_doubles(mine, {}, 4, quiet).pairs) == [
        ("near", 2, "c", "", "a"),
        ("near", 0, "d", "", "c"),
    ]


def test_more_bits_find_more_and_none_finds_only_the_same_bytes() -> None:
    mine = [seen("a", "1", A), seen("b", "2", A6), seen("c", "1", A)]
    assert len(find_doubles(mine, {}, 4, quiet).pairs) == 1
    assert len(find_doubles(mine, {}, 6, quiet).pairs) == 2
    assert told(find_doubles(mine, {}, None, quiet).pairs) == [("exact", 0, "c", "", "a")]


def test_pictures_that_show_nothing_are_near_to_none() -> None:
    assert find_doubles([seen("a", "1"), seen("b", "2")], {}, 8, quiet).pairs == []


def test_doubles_are_found_in_every_earlier_scan_and_not_within_it() -> None:
    mine = [seen("a", "1", A), seen("b", "2", B)]
    others = {
        "train": [seen("x", "9", A2), seen("y", "9", A2), seen("z", "1", A)],
        "extra": [seen("w", "2", B)],
    }
    assert told(find_doubles(mine, others, 4, quiet).pairs) == [
        ("exact", 0, "b", "extra", "w"),
        ("exact", 0, "a", "train", "z"),
        ("near", 2, "a", "train", "x"),
    ]


def test_pages_of_one_file_are_no_copies_of_each_other() -> None:
    mine = [
        seen("a", "1", A),
        seen("a", "1", B, page=1),
        seen("b", "1", A),
        seen("b", "1", B, page=1),
    ]
    assert told(find_doubles(mine, {}, 4, quiet).pairs) == [
        ("exact", 0, "b", "", "a"),
        ("exact", 0, "b", "", "a"),
    ]


def test_two_labels_contradict_each_other_unless_one_is_unknown() -> None:
    hat, shoe, unknown = (seen(label, "1", label=label) for label in ("hat", "shoe", ""))
    assert Pair("exact", 0, hat, shoe).contradicts
    assert not Pair("exact", 0, hat, unknown).contradicts
    assert not Pair("exact", 0, hat, seen("x", "1", label="hat")).contradicts
    assert not Pair("exact", 0, hat, Seen("x", 0, "1", "", {})).contradicts


def test_no_more_near_pairs_are_listed_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 5)
    mine = [seen(str(number), str(number), A) for number in range(7)]
    found = find_doubles(mine, {}, 4, quiet)
    assert len(found.pairs) == 5 and found.cut
    assert not find_doubles(mine[:6], {}, 4, quiet).cut
