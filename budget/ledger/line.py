"""What stands in the ledger: reservations and charges."""

from __future__ import annotations

from dataclasses import dataclass, replace

SETTLED, ESTIMATED, RELEASED, ADJUSTMENT = "settled", "estimated", "released", "adjustment"


@dataclass(frozen=True, slots=True)
class Span:
    """`amount_ms` used from `start_ms` to `end_ms`, `rate_milli` thousandths a millisecond.

    What the rate does not reach (a rounding remainder, a minimum charge, a booking at one instant)
    counts at the end. A negative amount takes back what the same span used, from its start on.
    """

    start_ms: int
    end_ms: int
    rate_milli: int
    amount_ms: int

    def before(self, at_ms: int) -> int:
        """What was used before `at_ms`. Differences of it split a span without remainder."""
        if at_ms <= self.start_ms:
            return 0
        if at_ms >= self.end_ms:
            return self.amount_ms
        used_ms = min(self.rate_milli * (at_ms - self.start_ms) // 1_000, abs(self.amount_ms))
        return used_ms if self.amount_ms >= 0 else -used_ms

    def between(self, start_ms: int, end_ms: int) -> int:
        """What was used from `start_ms` to `end_ms`; the parts of adjoining windows add up."""
        return self.before(end_ms) - self.before(start_ms)


@dataclass(frozen=True, slots=True)
class Reservation:
    """An amount set aside for one allocation before it starts.

    `rate_milli` (see `Account.rate_milli`) and the meter's `step_ms` and `minimum_ms` are those of
    the time when it was made: it is settled by them, whatever the account says by then.
    `start_ms` is None until the allocation began, `closed_ms` until it was settled, released or has
    expired.
    """

    id: str
    account: str
    owner: str
    devices: int
    machine: str
    rate_milli: int
    step_ms: int
    minimum_ms: int
    amount_ms: int
    reserved_at_ms: int
    expires_ms: int | None
    start_ms: int | None
    closed_ms: int | None

    @property
    def is_open(self) -> bool:
        return self.closed_ms is None

    @property
    def deadline_ms(self) -> int | None:
        """When a started allocation has used up its reservation; None before the start."""
        if self.start_ms is None:
            return None
        return self.start_ms + -(-self.amount_ms * 1_000 // self.rate_milli)

    def span(self) -> Span | None:
        """The whole reservation as used from its start; None before the start."""
        if self.start_ms is None or self.deadline_ms is None:
            return None
        return Span(self.start_ms, self.deadline_ms, self.rate_milli, self.amount_ms)

    def used(self, start_ms: int, end_ms: int) -> Span:
        """What the allocation costs if it ran from `start_ms` to `end_ms`, overrun included."""
        billed_ms = max(self.minimum_ms, -(-(end_ms - start_ms) // self.step_ms) * self.step_ms)
        return Span(start_ms, end_ms, self.rate_milli, -(-self.rate_milli * billed_ms // 1_000))

    def in_flight_ms(self, now_ms: int) -> int:
        """What the allocation has used by now, at most the reservation: that is its deadline."""
        span = self.span()
        return span.before(now_ms) if span else 0

    def expired(self, now_ms: int) -> bool:
        """True once it is open past its expiry; a started one is also given its deadline."""
        if self.expires_ms is None or not self.is_open:
            return False
        return now_ms >= max(self.expires_ms, self.deadline_ms or self.expires_ms)


@dataclass(frozen=True, slots=True)
class Charge:
    """One line that counts: `kind` is settled, estimated, released (zero) or adjustment (signed).

    `id` is that of the reservation, or the adjustment's own. `reserved_ms` is what had been set
    aside, `at_ms` when the line was written, `reason` why (empty for a plain settlement), `refunds`
    the charge that an adjustment takes back in whole or in part.
    """

    id: str
    kind: str
    account: str
    owner: str
    start_ms: int
    end_ms: int
    devices: int
    machine: str
    rate_milli: int
    reserved_ms: int
    amount_ms: int
    at_ms: int
    reason: str
    refunds: str | None = None

    @property
    def span(self) -> Span:
        """When it was used."""
        return Span(self.start_ms, self.end_ms, self.rate_milli, self.amount_ms)

    @property
    def estimated(self) -> bool:
        return self.kind == ESTIMATED

    @classmethod
    def replacing(
        cls, reservation: Reservation, *, kind: str, span: Span, at_ms: int, reason: str = ""
    ) -> Charge:
        """The line that closes `reservation` with what `span` says was used."""
        return cls(
            id=reservation.id,
            kind=kind,
            account=reservation.account,
            owner=reservation.owner,
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            devices=reservation.devices,
            machine=reservation.machine,
            rate_milli=span.rate_milli,
            reserved_ms=reservation.amount_ms,
            amount_ms=span.amount_ms,
            at_ms=at_ms,
            reason=reason,
        )

    @classmethod
    def expiring(cls, reservation: Reservation, now_ms: int) -> Charge:
        """The full estimated charge of a reservation whose end nobody saw."""
        span = reservation.span()
        return cls.replacing(
            reservation,
            kind=ESTIMATED,
            span=span or Span(now_ms, now_ms, reservation.rate_milli, reservation.amount_ms),
            at_ms=now_ms,
            reason="expired: no end was seen" if span else "expired: no start was seen",
        )

    @classmethod
    def adjusting(
        cls, id: str, account: str, amount_ms: int, counts_ms: int, at_ms: int, reason: str
    ) -> Charge:
        """A signed correction that counts at one instant and is written at `at_ms`."""
        return cls(
            id, ADJUSTMENT, account, "", counts_ms, counts_ms, 0, "", 0, 0, amount_ms, at_ms, reason
        )

    def overrun(self, id: str, used: Span, at_ms: int) -> Charge:
        """What `used` is more than this estimate, at the end of it."""
        more_ms = used.amount_ms - self.amount_ms
        reach_ms = -(-more_ms * 1_000 // used.rate_milli)
        return replace(
            self,
            id=id,
            kind=ADJUSTMENT,
            start_ms=max(used.start_ms, used.end_ms - reach_ms),
            end_ms=used.end_ms,
            rate_milli=used.rate_milli,
            reserved_ms=0,
            amount_ms=more_ms,
            at_ms=at_ms,
            reason=f"{self.id} ended later than it was charged for as an estimate",
        )

    def refunded(self, id: str, amount_ms: int, at_ms: int, reason: str) -> Charge:
        """`amount_ms` < 0 of this charge given back, in the windows in which it was used.

        A part of it is what was used first: where the charge lies in two windows, the later one
        gets no more back than the earlier one has left over.
        """
        reach_ms = -(amount_ms * 1_000 // self.rate_milli)
        whole = amount_ms == -self.amount_ms
        end_ms = self.end_ms if whole else min(self.end_ms, self.start_ms + reach_ms)
        return Charge(
            id=id,
            kind=ADJUSTMENT,
            account=self.account,
            owner=self.owner,
            start_ms=self.start_ms,
            end_ms=end_ms,
            devices=self.devices,
            machine=self.machine,
            rate_milli=self.rate_milli,
            reserved_ms=0,
            amount_ms=amount_ms,
            at_ms=at_ms,
            reason=reason,
            refunds=self.id,
        )
