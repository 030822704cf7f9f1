"""What is left: pure arithmetic over the lines and the open reservations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from budget.limit import Limit
from budget.line import Reservation, Span
from budget.windows import Window


@dataclass(frozen=True, slots=True)
class LimitBalance:
    """One limit in its present window; amount = settled + in flight + reserved + foreign + free."""

    limit: Limit
    window: Window
    settled_ms: int
    in_flight_ms: int
    reserved_ms: int
    foreign_ms: int = 0

    @property
    def amount_ms(self) -> int:
        return self.limit.amount_ms

    @property
    def free_ms(self) -> int:
        """Negative after an overrun: it is shown, not clamped."""
        used_ms = self.settled_ms + self.in_flight_ms + self.reserved_ms + self.foreign_ms
        return self.limit.amount_ms - used_ms


@dataclass(frozen=True, slots=True)
class Balance:
    """Every limit of one account at one time. The figures below are those of the tightest one."""

    account: str
    limits: tuple[LimitBalance, ...]
    simulated: bool = False
    """The account's hours are pretended ones."""

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
    def free_ms(self) -> int:
        return self.tightest.free_ms


def used_in(span: Span, window: Window) -> int:
    """The part of `span` that falls into `window`; the parts of adjoining windows add up."""
    return span.before(window.end_ms) - span.before(window.start_ms)


def limit_balance(
    limit: Limit,
    window: Window,
    now_ms: int,
    *,
    inside_ms: int,
    crossing: Iterable[Span],
    reservations: Iterable[Reservation],
) -> LimitBalance:
    """The balance of `limit` at `now_ms`, which lies in `window`.

    `inside_ms` is the sum of the charges wholly inside the window, `crossing` are those that cross
    an edge of it, `reservations` the open ones. What a reservation has not used yet counts whole
    in the present window, though some of it may fall into the next.
    """
    settled_ms = inside_ms + sum(used_in(span, window) for span in crossing)
    in_flight_ms = reserved_ms = 0
    for reservation in reservations:
        used_ms = reservation.in_flight_ms(now_ms)
        reserved_ms += reservation.amount_ms - used_ms
        span = reservation.span()
        if span is not None:
            in_flight_ms += used_ms - span.before(min(now_ms, window.start_ms))
    return LimitBalance(limit, window, settled_ms, in_flight_ms, reserved_ms)
