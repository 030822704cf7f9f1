"""What a session runs on, how long it may be, and how the provider's meter counts it."""

from __future__ import annotations

from dataclasses import dataclass

from budget.accounts.definition import AccountError, check_whole, check_word, matches

RATE_SOURCES = ("provider", "measured", "assumed")
"""Published by the provider; measured by users; a guess."""
METER_STARTS = ("queue_enter", "session_start", "call_start")
METER_STOPS = ("session_end", "output_saved", "call_end")
MOST_RATE_MILLI = 1_000_000
MOST_DEVICES = 1_024


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that a session may ask for by `name`.

    `rate_milli` is what it costs, in thousandths of the account's unit: per hour of session for
    units `session` and `credit`, per device and hour for unit `device`. `devices` is how many
    accelerators it has. Raises `AccountError`.
    """

    name: str
    rate_milli: int
    devices: int

    def __post_init__(self) -> None:
        if not matches(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.name):
            raise AccountError("the name of a machine is wrong", got=repr(self.name))
        check_whole(f"the rate of machine {self.name}", self.rate_milli, 1, MOST_RATE_MILLI)
        check_whole(f"the number of devices of {self.name}", self.devices, 0, MOST_DEVICES)


@dataclass(frozen=True, slots=True)
class Session:
    """How long one session may be, how many at once, and after how long idle it is ended.

    None: no limit that is known. Raises `AccountError`.
    """

    max_ms: int | None = None
    concurrent: int | None = None
    idle_ms: int | None = None

    def __post_init__(self) -> None:
        if self.max_ms is not None:
            check_whole("the longest session", self.max_ms, 1)
        if self.concurrent is not None:
            check_whole("the number of sessions at once", self.concurrent, 1)
        if self.idle_ms is not None:
            check_whole("the time until an idle session ends", self.idle_ms, 1)


@dataclass(frozen=True, slots=True)
class Metering:
    """From when to when the meter runs, in which steps, and how sure the rates are.

    A session is counted in whole steps of `granularity_ms`, begun ones too, and as `minimum_ms` at
    least. Raises `AccountError`.
    """

    granularity_ms: int = 1
    minimum_ms: int = 0
    starts: str = "session_start"
    stops: str = "session_end"
    rate_source: str = "provider"

    def __post_init__(self) -> None:
        check_whole("the step of the meter", self.granularity_ms, 1)
        check_whole("the minimum charge", self.minimum_ms)
        check_word("start of the meter", self.starts, METER_STARTS)
        check_word("stop of the meter", self.stops, METER_STOPS)
        check_word("source of the rates", self.rate_source, RATE_SOURCES)

    def billed_ms(self, duration_ms: int) -> int:
        """What the meter makes of a session of `duration_ms` >= 0."""
        steps = -(-duration_ms // self.granularity_ms)
        return max(self.minimum_ms, steps * self.granularity_ms)

    def longest_ms(self, billed_ms: int) -> int:
        """The longest session that `billed_ms` pays for; 0 if it does not pay the minimum."""
        if billed_ms < self.minimum_ms:
            return 0
        return billed_ms // self.granularity_ms * self.granularity_ms
