"""What a policy makes of a demand, week by week, counted alike for all of them.

Used is what the account is charged. Wasted is what was used for no result that anybody wants: it
failed, was lost or killed, became NaN, or is the same again. A fold counts once, when its result
is there and of use, however often it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from budget.duration import format_hours


@dataclass
class Week:
    """One window of the account, or seven days. Amounts are weighted milliseconds."""

    from_ms: int
    end_ms: int
    amount_ms: int
    folds: int = 0
    runs: int = 0
    used_ms: float = 0.0
    wasted_ms: float = 0.0
    saved_ms: float = 0.0

    @property
    def left_ms(self) -> float:
        """What the window still had when it ended; negative after an overrun."""
        return self.amount_ms - self.used_ms


@dataclass
class Tally:
    policy: str
    weeks: list[Week] = field(default_factory=list)
    for_good: bool = False
    """One amount for all weeks: nothing comes back when one of them ends."""
    waiting: dict[str, str] = field(default_factory=dict)
    """What has not been done in the end, and why, by run and entry."""

    def hand_down(self) -> None:
        """Where nothing comes back, give each week what the one before it has left."""
        for before, week in pairwise(self.weeks if self.for_good else ()):
            week.amount_ms = round(before.left_ms)

    def week_at(self, at_ms: float) -> Week | None:
        """None outside of the time that is counted."""
        return next((week for week in self.weeks if week.from_ms <= at_ms < week.end_ms), None)

    def use(self, start_ms: float, end_ms: float, amount_ms: float, wasted_ms: float = 0.0) -> None:
        """Deal a use and the waste in it out to the weeks that it falls into."""
        length_ms = end_ms - start_ms
        for week in self.weeks:
            part_ms = min(end_ms, week.end_ms) - max(start_ms, week.from_ms)
            if part_ms > 0 and length_ms > 0:
                week.used_ms += amount_ms * part_ms / length_ms
                week.wasted_ms += wasted_ms * part_ms / length_ms

    @property
    def folds(self) -> int:
        return sum(week.folds for week in self.weeks)

    @property
    def runs(self) -> int:
        return sum(week.runs for week in self.weeks)

    @property
    def used_ms(self) -> float:
        return sum(week.used_ms for week in self.weeks)

    @property
    def wasted_ms(self) -> float:
        return sum(week.wasted_ms for week in self.weeks)

    @property
    def saved_ms(self) -> float:
        return sum(week.saved_ms for week in self.weeks)

    @property
    def left_ms(self) -> float:
        weeks = self.weeks[-1:] if self.for_good else self.weeks
        return sum(week.left_ms for week in weeks)


HEADS = (">folds finished", ">runs finished", ">used", ">wasted", ">saved", ">left")


def cells(tally: Tally | Week) -> list[str]:
    """The columns of `HEADS`."""
    amounts = (tally.used_ms, tally.wasted_ms, tally.saved_ms, tally.left_ms)
    return [str(tally.folds), str(tally.runs), *(format_hours(round(ms)) for ms in amounts)]


def best(tallies: Sequence[Tally]) -> tuple[list[Tally], list[Tally]]:
    """Those that waste least, to the second, and those that finish most folds."""
    least_s = min(round(tally.wasted_ms / 1000) for tally in tallies)
    most = max(tally.folds for tally in tallies)
    return (
        [tally for tally in tallies if round(tally.wasted_ms / 1000) == least_s],
        [tally for tally in tallies if tally.folds == most],
    )
