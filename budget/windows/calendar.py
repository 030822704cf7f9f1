"""From one reset on a local calendar to the next: every day, week or month."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import ClassVar

from budget.accounts.definition import AccountError, check_word, matches
from budget.duration import HOUR_MS
from budget.instant import WEEKDAYS, instant_ms, local_date, zone_named
from budget.windows.base import Usage, Window

EVERY = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A reset at the local time `at` of `zone`, every day, week or month.

    `on` is the weekday of a weekly reset ("sat" unless said) or the day of a monthly one ("1"
    unless said; "31" is the last day of a shorter month); a daily one has none. There is exactly
    one reset for every such local date, so a week with a change of clocks is 167 or 169 hours long
    and never reset twice. Raises `AccountError` for an unknown period, day, time or zone.
    """

    every: str = "week"
    on: str = ""
    at: str = "00:00"
    zone: str = "UTC"
    kind: ClassVar[str] = "calendar"

    def __post_init__(self) -> None:
        check_word("period of the reset", self.every, EVERY)
        if self.on == "":
            object.__setattr__(self, "on", {"day": "", "week": "sat", "month": "1"}[self.every])
        if self.every == "week":
            check_word("day of the reset", self.on, WEEKDAYS)
        elif self.every == "month" and not matches(r"[1-9]|[12][0-9]|3[01]", self.on):
            raise AccountError("unknown day of the reset", got=self.on, wanted="1 to 31")
        elif self.every == "day" and self.on:
            raise AccountError(
                "a daily reset is on every day", got=self.on, wanted="no day, or every week"
            )
        if not matches(r"([01][0-9]|2[0-3]):[0-5][0-9]", self.at):
            raise AccountError(
                "the time of the reset is wrong", got=self.at, wanted="HH:MM, 00:00 to 23:59"
            )
        try:
            zone_named(self.zone)
        except (ValueError, TypeError) as error:
            raise AccountError(
                "unknown time zone of the reset",
                got=self.zone,
                wanted="a name of the IANA database such as UTC or Europe/Berlin",
                next="if the name is right, install the zones: pip install tzdata",
            ) from error

    def window_at(self, now_ms: int, usage: Usage | None = None) -> Window:
        """The window that holds `now_ms`; it does not depend on use."""
        end_ms, *before_ms = _resets_ms(self, now_ms // HOUR_MS)
        for reset_ms in before_ms:
            if reset_ms <= now_ms:
                break
            end_ms = reset_ms
        return Window(reset_ms, end_ms)

    def next_gain_ms(self, now_ms: int, usage: Usage | None = None) -> int:
        """The next reset."""
        return self.window_at(now_ms).end_ms

    def describe(self) -> str:
        return f"a {self.every}"

    def _period(self, day: date) -> int:
        """Number of the period that `day` is in, or of the one before it."""
        if self.every == "month":
            return day.year * 12 + day.month - 1
        if self.every == "week":
            return (day.toordinal() - 1 - WEEKDAYS.index(self.on)) // 7
        return day.toordinal()

    def _reset_date(self, period: int) -> date:
        """Local date on which a period begins."""
        if self.every == "month":
            year, month = divmod(period, 12)
            return date(year, month + 1, min(int(self.on), monthrange(year, month + 1)[1]))
        if self.every == "week":
            return date.fromordinal(period * 7 + 1 + WEEKDAYS.index(self.on))
        return date.fromordinal(period)


@lru_cache(maxsize=1024)
def _resets_ms(rule: Calendar, hour: int) -> tuple[int, ...]:
    """The resets round an hour since 1970 UTC, the latest first: from one after it to one before.

    Remembered, since what is left is asked for again and again.
    """
    zone = zone_named(rule.zone)
    # Two on: where clocks go back over midnight, the next date's reset may be past already.
    period = rule._period(local_date((hour + 1) * HOUR_MS, zone)) + 2
    found = [instant_ms(rule._reset_date(period), rule.at, zone)]
    while found[-1] > hour * HOUR_MS:
        period -= 1
        found.append(instant_ms(rule._reset_date(period), rule.at, zone))
    return tuple(found)
