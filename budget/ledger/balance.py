"""What is left: the figures of every limit of an account and of its parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from budget.accounts.limit import Limit
from budget.windows import Window


@dataclass(frozen=True, slots=True)
class LimitBalance:
    """One limit of `account` in its present window.

    amount = settled + in flight + reserved + foreign + kept back + free. `amount_ms` is what this
    window has: what the provider last said it allows, the lots that have not expired, or else the
    limit's own amount. `foreign_ms` is what the provider counts and the ledger does not: work done
    by hand. `next_gain_ms` is when hours come back by themselves, None where they do not;
    `whole_ms` the most that a fresh window admits.
    """

    account: str
    limit: Limit
    window: Window
    amount_ms: int
    settled_ms: int
    in_flight_ms: int
    reserved_ms: int
    foreign_ms: int = 0
    kept_back_ms: int = 0
    next_gain_ms: int | None = None
    whole_ms: int = 0
    unit: str = "device"

    @property
    def used_ms(self) -> int:
        """All but what is free and what is kept back."""
        return self.settled_ms + self.in_flight_ms + self.reserved_ms + self.foreign_ms

    @property
    def free_ms(self) -> int:
        """Negative after an overrun: it is shown, not clamped."""
        return self.amount_ms - self.used_ms - self.kept_back_ms

    def reserving(self, more_ms: int) -> LimitBalance:
        """The same with `more_ms` more reserved. Written out: `dataclasses.replace` is slow, and
        a scheduler asks for this whenever it gives out a device."""
        return LimitBalance(
            self.account,
            self.limit,
            self.window,
            self.amount_ms,
            self.settled_ms,
            self.in_flight_ms,
            self.reserved_ms + more_ms,
            self.foreign_ms,
            self.kept_back_ms,
            self.next_gain_ms,
            self.whole_ms,
            self.unit,
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """Every limit that an account must fit in at one time: its own, then those of its parents.

    The figures below are those of the tightest one.
    """

    account: str
    limits: tuple[LimitBalance, ...]
    simulated: bool = False
    """The account's hours are pretended ones."""
    unit: str = "device"
    saved: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """What was not spent, by kind, in the window of the tightest limit."""

    @property
    def tightest(self) -> LimitBalance:
        return min(self.limits, key=lambda limit: limit.free_ms)

    @property
    def window(self) -> Window:
        return self.tightest.window

    @property
    def amount_ms(self) -> int:
        return self.tightest.amount_ms

    @property
    def settled_ms(self) -> int:
        return self.tightest.settled_ms

    @property
    def in_flight_ms(self) -> int:
        return self.tightest.in_flight_ms

    @property
    def reserved_ms(self) -> int:
        return self.tightest.reserved_ms

    @property
    def foreign_ms(self) -> int:
        return self.tightest.foreign_ms

    @property
    def kept_back_ms(self) -> int:
        return self.tightest.kept_back_ms

    @property
    def free_ms(self) -> int:
        return self.tightest.free_ms

    @property
    def next_gain_ms(self) -> int | None:
        return self.tightest.next_gain_ms

    @property
    def whole_ms(self) -> int:
        """The most that can ever be reserved at once, however long one waits."""
        return min(limit.whole_ms for limit in self.limits)

    def refusing(self, needed_ms: int) -> LimitBalance | None:
        """The limit in which `needed_ms` does not fit; of several the one to wait for longest."""
        refusing = [limit for limit in self.limits if needed_ms > limit.free_ms]
        if not refusing:
            return None
        return max(refusing, key=lambda limit: (_wait_ms(limit, needed_ms), -limit.free_ms))


def _wait_ms(limit: LimitBalance, needed_ms: int) -> float:
    if needed_ms > limit.whole_ms or limit.next_gain_ms is None:
        return float("inf")
    return limit.next_gain_ms
