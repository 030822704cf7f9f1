"""Since when the scheduler has had its eyes open."""

from __future__ import annotations

from orchestrator.clock import Clock

ASLEEP_MS = 60_000
"""Between two looks the time went on by so much more than the machine did: it slept, or its clock
was set."""


class Watch:
    """A look after that begins anew: what was quiet meanwhile may have slept as well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_ms = clock.now_ms()
        self._ahead_ms = clock.now_ms() - clock.awake_ms()

    def since_ms(self) -> int:
        """Looks now; since when it has looked and could have heard whatever was said."""
        now_ms = self._clock.now_ms()
        ahead_ms = now_ms - self._clock.awake_ms()
        if abs(ahead_ms - self._ahead_ms) > ASLEEP_MS:
            self._since_ms = now_ms
        self._ahead_ms = ahead_ms
        return self._since_ms
