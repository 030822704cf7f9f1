"""Which pictures of a fold are shown, and how they are told in words."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.errors.confusion import Predictions
from orchestrator.pictures.mistakes import ALT_TEXT_CHARS, Chosen, Shown, choose, in_words, percent

CLASSES = ("hat", "shirt", "shoe")


def predictions(rows: list[tuple[int, int, float]]) -> Predictions:
    """(true class, told class, how sure) of pictures 10, 11, …"""
    probabilities = np.zeros((len(rows), 3), np.float32)
    for n, (true, told, sure) in enumerate(rows):
        probabilities[n, true] = 1 - sure
        probabilities[n, told] = sure
    ids = np.arange(10, 10 + len(rows))
    true_classes = np.array([true for true, _, _ in rows], np.int64)
    return Predictions(ids, np.zeros(len(rows), np.int64), true_classes, probabilities)


def test_the_costliest_mistakes_come_first_and_then_what_was_hardly_right() -> None:
    made = predictions([(0, 0, 0.9), (1, 2, 0.6), (2, 2, 0.55), (0, 1, 0.99), (1, 1, 0.7)])
    chosen = choose(made, CLASSES, 4)
    assert [one.id for one in chosen.shown] == [13, 11, 12, 14]
    assert [one.right for one in chosen.shown] == [False, False, True, True]
    assert (chosen.wrong, chosen.pictures) == (2, 5)
    assert chosen.shown[0].true == "hat" and chosen.shown[0].told == "shirt"
    assert chosen.shown[0].probability == pytest.approx(0.99)


def test_no_more_are_chosen_than_asked_for_but_all_are_counted() -> None:
    chosen = choose(predictions([(0, 1, 0.6 + n / 100) for n in range(20)]), CLASSES, 16)
    assert len(chosen.shown) == 16 and chosen.wrong == chosen.pictures == 20
    assert chosen.shown[0].id == 29  # the surest mistake


def test_of_no_pictures_none_are_chosen() -> None:
    assert choose(predictions([]), CLASSES, 4) == Chosen((), 0, 0)


def test_the_words_say_how_many_are_wrong_and_name_each_mistake() -> None:
    made = predictions([(0, 0, 0.9), (1, 2, 0.6), (0, 1, 0.999)])
    assert in_words(choose(made, CLASSES, 3)) == (
        "2 of 3 validation pictures are wrong. The worst: 1. hat taken for shirt (>99 %);"
        " 2. shirt taken for shoe (60 %). The other 1 shown are right."
    )


def test_the_words_of_a_fold_without_mistakes_say_what_is_shown() -> None:
    assert in_words(choose(predictions([(0, 0, 0.9)]), CLASSES, 3)) == (
        "0 of 1 validation pictures are wrong."
        " Shown are those that were right by the narrowest margin."
    )


def test_long_names_and_many_mistakes_stay_within_the_limit_and_the_rest_is_counted() -> None:
    shown = tuple(Shown(n, f"{n} " + "a" * 60, "b" * 60, 0.5) for n in range(16))
    words = in_words(Chosen(shown, 16, 16))
    assert len(words) <= ALT_TEXT_CHARS + 20
    named = words.count("taken for")
    assert 0 < named < 16 and words.endswith(f" and {16 - named} more.")


def test_a_hundred_percent_is_said_only_of_what_was_sure() -> None:
    assert percent(Shown(0, "a", "b", 0.9991)) == ">99 %"
    assert percent(Shown(0, "a", "b", 1.0)) == "100 %"
    assert percent(Shown(0, "a", "b", 0.994)) == "99 %"
