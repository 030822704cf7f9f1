"""No overdraft by our own admission: what each reservation leaves is worked out again.

Only the lines, the open reservations and the readings are used, in windows that are found anew:
nothing of what is being checked is asked what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from budget.accounts.account import Account
from budget.accounts.limit import Limit
from budget.ledger import Ledger
from budget.ledger.line import RELEASED, Charge, Reservation
from budget.windows import Calendar, PerSession, Rolling, Unbounded

WRITES = ("reserve", "start", "settle", "release", "expire", "adjust")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class InvariantBroken(AssertionError):
    """Something happened that must not, whatever goes wrong."""


def must(holds: bool, what: str, *facts: object) -> None:
    """Raise InvariantBroken, with the facts, unless it `holds`."""
    if not holds:
        raise InvariantBroken(": ".join([what, *map(str, facts)]))


@dataclass(frozen=True)
class _Use:
    """Something that counts: from when to when, how much in all, and how much a millisecond, in
    thousandths. What the rate does not reach counts at the end."""

    start_ms: int
    end_ms: int
    amount_ms: int
    rate_milli: int

    def within(self, start_ms: int, end_ms: int) -> int:
        """What of it falls between, as far as whole milliseconds can tell."""
        return self._before(end_ms) - self._before(start_ms)

    def _before(self, at_ms: int) -> int:
        if at_ms <= self.start_ms:
            return 0
        if at_ms >= self.end_ms:
            return self.amount_ms
        return min(self.amount_ms, self.rate_milli * (at_ms - self.start_ms) // 1000)


@dataclass
class Admitted:
    """Hears of every call to the ledger and judges those that admitted something."""

    ledger: Ledger
    accounts: dict[str, Account] = field(default_factory=dict)
    """As they stood when a reservation was made, by its id."""
    readings: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By account and limit: what the provider had counted, and when."""
    free_ms: dict[str, int] = field(default_factory=dict)
    """By reservation: what was left in the tightest limit before it was made, as it stood then."""
    judged: int = 0
    writes: int = 0

    def heard(self, name: str, given: dict[str, Any], answer: Any) -> None:
        """A call to the ledger was carried out. Raises InvariantBroken for one that overdraws."""
        self.writes += name in WRITES
        if name != "reserve" or answer.id in self.accounts:
            return
        self.judged += 1
        self.accounts[answer.id] = self.ledger.account(answer.account)
        for account in self._lineage(answer.account):
            self._judge_sessions(account, answer)
            for limit in account.limits:
                self._judge(account, limit, answer, given["now_ms"])

    def read(self, account: str, limit: str, used_ms: int, at_ms: int) -> None:
        """Somebody read the provider's own counter."""
        self.readings[account, limit] = (used_ms, at_ms)

    def _judge_sessions(self, account: Account, made: Reservation) -> None:
        family = self._family(account)
        count = sum(open.account in family for open in self.ledger.reservations())
        most = account.session.concurrent
        must(most is None or count <= most, "more sessions at once than there may be", made, count)

    def _judge(self, account: Account, limit: Limit, made: Reservation, now_ms: int) -> None:
        if isinstance(limit.window, PerSession):
            fits = made.amount_ms <= limit.amount_ms
            must(fits, "a session was given more than a session may have", made)
            return
        span = window_of(limit, now_ms)
        if span is None:
            return
        family = self._family(account)
        uses = self._uses(family)
        used_ms = sum(use.within(*span) for use in uses)
        for reservation in self.ledger.reservations():
            if reservation.account in family:
                used_ms += reservation.amount_ms - _before_window(reservation, span[0], now_ms)
        used_ms += self._foreign_ms(account, limit, span, uses)
        left_ms = limit.amount_ms - account.keep_back_ms - used_ms
        # A span that crosses an edge may be split a millisecond elsewhere.
        crossing = sum(use.start_ms < edge < use.end_ms for use in uses for edge in span)
        facts = (account.name, limit.name, made.id, f"{-left_ms} ms too much", f"now {now_ms}")
        must(left_ms >= -2 * crossing, "a reservation overdraws its account", *facts)
        stood_ms = self._stood_ms(account, limit, now_ms)
        free_ms = stood_ms - used_ms + made.amount_ms
        self.free_ms[made.id] = min(self.free_ms.get(made.id, free_ms), free_ms)

    def _stood_ms(self, account: Account, limit: Limit, now_ms: int) -> int:
        """What the limit gave by the clock of whoever reserved: it may be behind the clock of
        whoever has changed the account since, and what was decided stands on what it said then."""
        versions = self.ledger.account_versions(account.name)
        said = [v.account for v in versions if v.account is not None and v.from_ms <= now_ms]
        then = said[-1] if said else account
        amounts = [own.amount_ms for own in then.limits if own.name == limit.name]
        return (amounts[0] if amounts else limit.amount_ms) - then.keep_back_ms

    def agree(self, now_ms: int) -> None:
        """What the ledger says of each account is what its lines add up to."""
        for account in self.ledger.accounts():
            family = self._family(account)
            uses = self._uses(family)
            for said in self.ledger.balance(account.name, now_ms).limits:
                if said.account != account.name:
                    continue
                parts_ms = said.settled_ms + said.in_flight_ms + said.reserved_ms + said.foreign_ms
                left_ms = said.amount_ms - parts_ms - said.kept_back_ms
                must(said.free_ms == left_ms, "what is free is not what is left", said)
                span = window_of(said.limit, now_ms)
                if span is None:
                    continue
                of = (account.name, said.limit.name, f"now {now_ms}")
                if isinstance(said.limit.window, Calendar):
                    found = (said.window.start_ms, said.window.end_ms)
                    must(found == span, "a window begins or ends at another time", *of, found, span)
                settled_ms = sum(use.within(*span) for use in uses)
                off_ms = abs(settled_ms - said.settled_ms)
                crossing = sum(use.start_ms < edge < use.end_ms for use in uses for edge in span)
                must(off_ms <= 2 * crossing, "the lines are not the balance", *of, off_ms)
                open_ms = sum(
                    reservation.amount_ms - _before_window(reservation, span[0], now_ms)
                    for reservation in self.ledger.reservations()
                    if reservation.account in family
                )
                off_ms = abs(open_ms - said.in_flight_ms - said.reserved_ms)
                must(off_ms <= 2 + crossing, "what runs is not in the balance", *of, off_ms)

    def _family(self, account: Account) -> set[str]:
        """An account and its sub-budgets."""
        return {known.name for known in self.ledger.accounts() if self._is_of(known, account)}

    def _uses(self, family: set[str]) -> list[_Use]:
        return [
            _Use(charge.start_ms, charge.end_ms, charge.amount_ms, charge.rate_milli)
            for charge in self.ledger.charges()
            if charge.account in family and charge.kind != RELEASED
        ]

    def _foreign_ms(
        self, account: Account, limit: Limit, span: tuple[int, int], uses: list[_Use]
    ) -> int:
        """What the provider has counted and we have not."""
        reading = self.readings.get((account.name, limit.name))
        if reading is None or not span[0] <= reading[1] < span[1]:
            return 0
        counted_ms, at_ms = reading
        read = window_of(limit, at_ms)  # it counted what was in the window when it was read
        since_ms = read[0] if read else span[0]
        own_ms = sum(use.within(since_ms, at_ms) for use in uses)
        for reservation in self.ledger.reservations():
            if reservation.start_ms is not None and self._is_of(
                self.ledger.account(reservation.account), account
            ):
                end_ms = reservation.deadline_ms or reservation.start_ms
                use = _of(reservation, reservation.start_ms, end_ms)
                own_ms += use.within(since_ms, at_ms)
        return max(0, counted_ms - own_ms)

    def _lineage(self, name: str) -> Iterator[Account]:
        while name:
            account = self.ledger.account(name)
            yield account
            name = account.parent

    def _is_of(self, account: Account, ancestor: Account) -> bool:
        return any(known.name == ancestor.name for known in self._lineage(account.name))

    def line(self, id: str) -> Charge | None:
        """What the ledger has booked under an id."""
        return next((charge for charge in self.ledger.charges() if charge.id == id), None)


def _of(reservation: Reservation, start_ms: int, end_ms: int) -> _Use:
    return _Use(start_ms, end_ms, reservation.amount_ms, reservation.rate_milli)


def _before_window(reservation: Reservation, start_ms: int, now_ms: int) -> int:
    """What of a running reservation was used before the window began."""
    if reservation.start_ms is None or reservation.deadline_ms is None:
        return 0
    use = _of(reservation, reservation.start_ms, reservation.deadline_ms)
    return use.within(0, min(start_ms, now_ms))


def window_of(limit: Limit, now_ms: int) -> tuple[int, int] | None:
    """From and to when uses count at `now_ms`; None where that depends on the uses."""
    rule = limit.window
    if isinstance(rule, Unbounded):
        return 0, 1 << 62
    if isinstance(rule, Rolling):
        return now_ms + 1 - rule.length_ms, now_ms + rule.length_ms
    if not isinstance(rule, Calendar) or rule.every != "week":
        return None
    zone = ZoneInfo(rule.zone)
    day = datetime.fromtimestamp(now_ms / 1000, zone).date() - timedelta(days=9)
    resets = []
    hour, minute = map(int, rule.at.split(":"))
    for n in range(20):
        date = day + timedelta(days=n)
        if WEEKDAYS[date.weekday()] == rule.on:
            reset = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone)
            # By way of UTC: a local time that is skipped has the offset from before the gap.
            resets.append(round(reset.astimezone(UTC).timestamp() * 1000))
    before = [at_ms for at_ms in resets if at_ms <= now_ms]
    after = [at_ms for at_ms in resets if at_ms > now_ms]
    return before[-1], after[0]
