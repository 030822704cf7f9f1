"""What the reports of one attempt say of its losses, added up as they come.

`broken` judges every report of everything that runs: to read all earlier ones again each time would
cost a long training more with every report.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from orchestrator.state.records import Records, newest_first, with_entries, with_entry

TRAINING_LOSS = ("train_loss", "loss")
"""What it is called by `train`, and by many a script."""

_NUMBERS = (float, str)
"""Those that are not finite are reported as words."""


@dataclass(frozen=True)
class Losses:
    reports: int = 0
    """How many have been read."""
    no_number: tuple[str, Mapping[str, Any]] | None = None
    """Name of the first loss that was no number, and the report that it is in."""
    by_epoch: Mapping[Any, float] = field(default_factory=dict)
    """The training loss of each epoch, the newest word on it; reports without an epoch count as one
    each."""

    def after(self, reports: Iterable[Mapping[str, Any]]) -> Losses:
        """With those that came next."""
        count, no_number = self.reports, self.no_number
        found: dict[Any, float] = {}
        for report in reports:
            for name in () if no_number else report:
                if "loss" in name and _is_no_number(report[name]):
                    no_number = (name, report)
                    break
            for name in TRAINING_LOSS:
                value = report.get(name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found[report.get("epoch", f"report {count}")] = _as_float(value)
                    break
            count += 1
        return Losses(count, no_number, _with_all(self.by_epoch, found))

    @property
    def first(self) -> float:
        """Of the first epoch. StopIteration where none was reported."""
        return next(iter(self.by_epoch.values()))

    def last(self, epochs: int) -> list[float]:
        """Of the last so many epochs, the newest first; fewer where there are not so many after
        the first one."""
        most = min(epochs, len(self.by_epoch) - 1)
        return [*islice(newest_first(self.by_epoch), max(0, most))]


def _with_all(known: Mapping[Any, float], found: Mapping[Any, float]) -> Mapping[Any, float]:
    if type(known) is not Records:
        return with_entries(known, found)
    for epoch, loss in found.items():  # few, among many
        known = with_entry(known, epoch, loss)
    return known


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _is_no_number(value: object) -> bool:
    if not isinstance(value, _NUMBERS):
        return False
    try:
        return not math.isfinite(float(value))
    except ValueError:  # a word, not a number
        return False
