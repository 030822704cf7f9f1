"""The four readings of a learning-rate finder's curve."""

from __future__ import annotations

import numpy as np

from jobs.probe.suggestions import suggest

RATES = np.geomspace(1e-7, 10, 100)


def curve() -> np.ndarray:
    """Flat, then falling from 1e-4 to its lowest at 1e-2, then exploding."""
    place = np.log10(RATES)
    fall = 2.0 - 1.5 / (1 + np.exp(-4 * (place + 3)))
    return np.asarray(fall + np.exp(3 * (place + 0.5)))


def test_they_lie_where_their_names_say() -> None:
    losses = curve()
    found = suggest(RATES, losses)
    assert found is not None
    kept = slice(10, -5)
    lowest = RATES[kept][losses[kept].argmin()]
    assert found.minimum == lowest / 10
    assert 3e-4 < found.steep < 3e-3  # the logistic falls fastest at 1e-3
    assert RATES[10] < found.valley < lowest
    assert found.valley < found.slide < 10


def test_the_valley_is_the_longest_fall_and_not_the_deepest() -> None:
    losses = np.concatenate([np.linspace(3, 2, 70), np.linspace(2.5, 0.1, 15), np.full(15, 9.0)])
    found = suggest(RATES, losses)
    assert found is not None
    assert RATES[10] < found.valley < RATES[70]


def test_what_is_not_finite_is_left_out_and_too_little_says_nothing() -> None:
    losses = curve()
    losses[-3:] = np.nan
    assert suggest(RATES, losses) is not None
    assert suggest(RATES[:19], losses[:19]) is None
    assert suggest(RATES, np.full(100, np.nan)) is None
