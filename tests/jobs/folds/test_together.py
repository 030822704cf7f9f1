from __future__ import annotations

from pathlib import Path

from jobs.folds.together import Together, Union, keep_together, near_pairs
from skint.dataset import Sample
from skint.table import write_rows


def samples(*contents: str, groups: str = "") -> list[Sample]:
    return [
        Sample(n, str(n), f"{n}.png", sha256=content, group=groups[n : n + 1])
        for n, content in enumerate(contents)
    ]


def kept(pictures: list[Sample], **options: object) -> Together:
    given = {"grouped": False, "copies": True, "near": [], "strata": [0] * len(pictures)}
    return keep_together(pictures, **{"share": 0.5, **given, **options})  # type: ignore[arg-type]


def units(together: Together) -> list[int]:
    assert together.units is not None
    return together.units.tolist()  # type: ignore[no-any-return]


def test_sets_that_are_joined_are_called_by_their_smallest_number() -> None:
    union = Union(range(6))
    union.join(4, 2)
    union.join(5, 4)
    union.join(2, 1)
    assert union.roots() == [0, 1, 1, 3, 1, 1]


def test_without_copies_and_groups_each_stands_alone() -> None:
    assert kept(samples("a", "b", "", "")) == Together(None)
    assert kept(samples("a", "a"), copies=False) == Together(None)


def test_pages_of_one_file_are_no_copies() -> None:
    pages = [Sample(n, str(n), "a.tif", page=n, sha256="a") for n in range(3)]
    assert kept(pages) == Together(None)


def test_groups_and_copies_reach_over_each_other() -> None:
    found = kept(samples("a", "b", "b", "c", "d", groups="xxyyz"), grouped=True)
    assert units(found) == [0, 0, 0, 0, 1]
    assert found.exact == 1


def test_a_likeness_of_more_than_a_part_can_hold_is_left_alone() -> None:
    pictures = samples(*"abcdefgh")
    film = [(n + 1, n) for n in range(5)]
    found = kept(pictures, near=[(7, 6), *film])
    assert units(found) == [0, 1, 2, 3, 4, 5, 6, 6]
    assert (found.exact, found.near, found.alike) == (0, 1, 6)
    # Of each class on its own: two of eight fit into a half, both of a class of two do not.
    found = kept(pictures, near=[(7, 6), (1, 0)], strata=[0, 0, 0, 0, 0, 0, 1, 1])
    assert units(found) == [0, 0, 1, 2, 3, 4, 5, 6]
    assert (found.near, found.alike) == (1, 2)


def test_what_is_left_alone_keeps_its_exact_copies() -> None:
    found = kept(samples(*"aabbcdef"), near=[(n, 0) for n in (2, 4, 5, 6)], share=0.25)
    assert units(found) == [0, 0, 1, 1, 2, 3, 4, 5]
    assert (found.exact, found.near, found.alike) == (2, 0, 7)


def test_near_pairs_of_another_scan_do_not_count(tmp_path: Path) -> None:
    columns = ("kind", "distance", "path", "page", "label", "scan", "first", "first_page")
    rows = [
        ("exact", 0, "1.png", 0, "", "", "0.png", 0),
        ("near", 2, "2.png", 0, "", "", "0.png", 0),
        ("near", 2, "3.png", 0, "", "train", "0.png", 0),
        ("near", 2, "4.png", 0, "", "", "0.png", 0),
        ("near", 2, "2.png", 0, "", "", "9.png", 0),
    ]
    write_rows(tmp_path / "duplicates.csv", columns, rows)
    scanned = [(f"{n}.png", 0, "other" if n == 4 else "abcde"[n]) for n in range(5)]
    write_rows(tmp_path / "scan.csv", ("path", "page", "sha256"), scanned)
    assert near_pairs(tmp_path / "duplicates.csv", samples(*"abcde")) == [(2, 0)]
