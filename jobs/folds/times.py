"""A column of numbers or dates as one order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from skint.dataset import PackedSet, Sample
from skint.errors import SkintError

OTHER_COLUMNS = ("name", "group")
"""Columns of `samples.csv`, besides the targets, that may hold a time."""


class TimesError(SkintError):
    """The column does not put the samples in an order."""


def times_of(
    samples: Sequence[Sample], column: str, data: PackedSet, where: str
) -> NDArray[np.float64]:
    """(n,) the time of each sample: numbers as they are, ISO 8601 dates as seconds since 1970.

    Dates without a zone count as UTC. Raises TimesError where there is no such column, or a cell
    is neither, or the column mixes both.
    """
    names = [target.name for target in data.meta.targets]
    if column not in names and column not in OTHER_COLUMNS:
        raise TimesError(
            "there is no such column",
            where="folds: time",
            got=column,
            wanted=", ".join([*names, *OTHER_COLUMNS]),
        )
    cells = [s.targets[column] if column in names else getattr(s, column) for s in samples]
    times = np.array([_number(cell) for cell in cells], dtype=np.float64)
    if np.isnan(times).all():
        times = np.array([_seconds(cell) for cell in cells], dtype=np.float64)
    bad = np.flatnonzero(np.isnan(times))
    if len(bad):
        sample = samples[bad[0]]
        raise TimesError(
            f"{len(bad)} of {len(samples)} samples have no time",
            where=f"{where}: {column} of {sample.path}",
            got=cells[bad[0]] or "an empty cell",
            wanted="numbers, or dates such as 2026-11-22 or 2026-11-22T08:00:00Z, not both",
        )
    return times


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _seconds(cell: str) -> float:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        return np.nan
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
