"""What is chosen for what was found. Pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from budget.duration import HOUR_MS, MINUTE_MS
from jobs.subset.job import Params as Subset
from orchestrator.starting.choosing import Means, choose, in_words
from orchestrator.starting.columns import Guess
from orchestrator.starting.found import Found, Heads, Labels, PictureSet, Sample
from orchestrator.starting.writing import plan_text, quoted

PRACTICE = Means("practice", practice=True, weights=False, free_ms=30 * HOUR_MS)
DEVICE = Means("local", practice=False, weights=True, free_ms=40 * HOUR_MS)
PHOTOS = Heads(500, 500, (300, 200), (4000, 3000), 400, 1.33)


def folders(**counts: int) -> Found:
    train = PictureSet("train", "train", sum(counts.values()), classes=counts)
    return Found(Path("/set"), train, PHOTOS)


def numbers(count: int) -> Found:
    guess = Guess("price", "value", "price", known=count)
    labels = Labels("t.csv", ",", "train", "file", "", count, 0, guesses=(guess,))
    return Found(Path("/set"), PictureSet("train", "train", count), PHOTOS, labels=labels)


def test_a_device_trains_on_all_and_practice_on_a_part() -> None:
    found = folders(cat=40_000, dog=40_000)
    all_of_it, part = choose(found, DEVICE, "toy"), choose(found, PRACTICE, "toy")
    assert (all_of_it.per_class, all_of_it.folds, all_of_it.size_px) == (0, 5, 224)
    assert (part.per_class, part.folds, part.size_px) == (1_500, 3, 128)
    assert part.limit_ms <= 2 * HOUR_MS < all_of_it.limit_ms


def test_a_part_of_numbers_is_a_share_that_subset_takes() -> None:
    choice = choose(numbers(12_000), PRACTICE, "toy")
    assert (choice.share, choice.per_class) == (0.25, 0)
    assert Subset.model_validate({"share": choice.share})
    assert "share: 0.25" in plan_text(numbers(12_000), choice, Path("/"))


@pytest.mark.parametrize(("fewest", "folds"), [(30, 5), (4, 4), (3, 3), (2, 2)])
def test_there_are_no_more_folds_than_the_rarest_class_has_pictures(
    fewest: int, folds: int
) -> None:
    assert choose(folders(cat=30, dog=fewest), DEVICE, "toy").folds == folds


def test_where_classes_are_uneven_accuracy_says_little() -> None:
    choice = choose(folders(cat=900, dog=30), DEVICE, "toy")
    assert (choice.metric, choice.balanced) == ("f1", True)
    even = choose(folders(cat=90, dog=30), DEVICE, "toy")
    assert (even.metric, even.balanced) == ("", False)


def test_all_folds_fit_in_what_the_account_has() -> None:
    poor = replace(DEVICE, free_ms=2 * HOUR_MS)
    choice = choose(folders(cat=40_000, dog=40_000), poor, "toy")
    assert choice.folds * choice.limit_ms <= 2 * HOUR_MS
    assert choice.limit_ms >= 10 * MINUTE_MS


@pytest.mark.parametrize(
    ("classes", "cells", "expected"),
    [
        (("0", "1"), ("0.5",), ("auroc", "probability")),
        (("0", "1"), ("0",), ("", "label")),
        (("a", "b", "c"), ("0",), ("", "number")),
        (("a", "b", "c"), ("a", "b"), ("", "")),
    ],
)
def test_the_cells_of_a_sample_say_what_is_wanted(
    classes: tuple[str, ...], cells: tuple[str, ...], expected: tuple[str, str]
) -> None:
    found = replace(
        folders(**dict.fromkeys(classes, 50)),
        others=(PictureSet("test", "test", 9),),
        sample=Sample("s.csv", "id", ("label",), 9, cells),
    )
    choice = choose(found, DEVICE, "toy")
    assert (choice.metric, choice.cells) == expected


def test_a_sample_whose_ids_have_no_pictures_is_not_submitted() -> None:
    found = replace(
        folders(cat=50, dog=50),
        others=(PictureSet("test", "test", 9),),
        sample=Sample("s.csv", "id", ("cat", "dog"), 9, unknown=2),
    )
    assert "submission" not in plan_text(found, choose(found, DEVICE, "toy"), Path("/"))


def test_long_pictures_are_not_cut() -> None:
    long = replace(folders(cat=50, dog=50), heads=replace(PHOTOS, ratio=2.2))
    assert choose(long, DEVICE, "toy").pad


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "1", "1e3", ".5", ".inf", "a: b", "a #b", "{x}", "", "null", "'", "-", "a"),
        *("../a b/c", ".", "e\x85f", "größe"),
    ],
)
def test_what_is_quoted_is_read_as_text(text: str) -> None:
    from orchestrator.plans.document import read_value

    assert read_value(f"it: {quoted(text)}") == {"it": text}


@pytest.mark.parametrize(("ms", "words"), [(2 * HOUR_MS, "2h"), (90 * MINUTE_MS, "90m")])
def test_a_limit_is_said_as_in_a_plan(ms: int, words: str) -> None:
    assert in_words(ms) == words
