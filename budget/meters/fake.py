"""A meter for simulations and tests: it says what it was told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from budget.meters.base import DeviceReading, HostReading, Reading, Watched


class FakeMeter:
    """A `Meter`. `device_of(uuid, now_ms)` and `host_of(attempt, now_ms)` say what it reads; it
    notes what it was asked to look at."""

    def __init__(
        self,
        device_of: Callable[[str, int], DeviceReading] = lambda uuid, now_ms: DeviceReading(),
        host_of: Callable[[str, int], HostReading] = lambda attempt, now_ms: HostReading(),
    ) -> None:
        self.device_of = device_of
        self.host_of = host_of
        self.asked: list[tuple[int, tuple[Watched, ...]]] = []

    def read(self, watched: Sequence[Watched], now_ms: int) -> Mapping[str, Reading]:
        self.asked.append((now_ms, tuple(watched)))
        return {
            one.attempt: Reading(
                now_ms,
                {uuid: self.device_of(uuid, now_ms) for uuid in one.devices},
                self.host_of(one.attempt, now_ms),
            )
            for one in watched
        }
