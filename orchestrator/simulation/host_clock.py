"""The clock of one machine: it may be wrong, be set, and stand still with the machine."""

from __future__ import annotations

from orchestrator.clock import SimulatedClock


class HostClock:
    """What a machine takes for the time: the true one, and how much it is ahead of it."""

    def __init__(self, true: SimulatedClock) -> None:
        self.true = true
        self.ahead_ms = 0
        self.slept_ms = 0

    def now_ms(self) -> int:
        return self.true.now_ms() + self.ahead_ms

    def awake_ms(self) -> int:
        return self.true.now_ms() - self.slept_ms

    def sleep(self, seconds: float, wake_ms: int | None = None) -> None:
        self.true.sleep(seconds, None if wake_ms is None else wake_ms - self.ahead_ms)
