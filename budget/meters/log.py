"""From readings to figures, purely. Every threshold of the meters stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from budget.meters.base import DeviceReading, Reading

SAMPLE_EVERY_S = 5.0
"""How often a living scheduler reads the meters; also seldom enough to cost nothing."""
LONGEST_GAP_S = 30.0
"""Two readings that are further apart say nothing about the time between them: nobody looked, or
the machine slept."""
IDLE_BELOW = 0.05
"""A device that computes less than this share of the time is idle."""
IDLE_FROM_S = 60.0
"""A shorter pause is none: loading a checkpoint, the first batches, a validation's beginning."""
ALERT_IDLE_S = 300.0
"""So much idle time, and at least `ALERT_IDLE_SHARE` of what was measured, is worth an alert."""
ALERT_IDLE_SHARE = 0.5
TOLD_EVERY_S = 300.0
"""How often the figures of an attempt that goes on are kept: events are to stay few."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What the readings of an attempt add up to. None: nobody could read it."""

    at_ms: int = 0
    """Of the newest reading; 0 where there was none."""
    covered_s: float = 0.0
    """How much of the time was measured at all; of the rest nothing is known, and it is not
    guessed."""
    device_s: float = 0.0
    """How much of it with a known utilisation; what the mean is a mean of."""
    busy_s: float = 0.0
    """Utilisation x time, summed."""
    max_utilisation: float | None = None
    peak_memory_mib: float | None = None
    """Most that was in use on all its devices together."""
    power_s: float = 0.0
    """How much of the time with known power."""
    power_ws: float = 0.0
    """Power x time, summed."""
    energy_j: float | None = None
    """Differences of the devices' counters; where they have none, power x time."""
    cpu_s: float | None = None
    """Processor seconds of its processes since they were started."""
    peak_ram_mib: float | None = None
    idle_s: float | None = None
    """Kept but idle: stretches of at least `IDLE_FROM_S` in which every device kept for it was
    below `IDLE_BELOW`. None where utilisation was never known."""
    stretch_s: float = 0.0
    """Length of the idle stretch that goes on; it counts once it is long enough."""
    silent: tuple[str, ...] = ()
    """Devices of which, at some reading, nothing could be read."""

    @property
    def utilisation(self) -> float | None:
        """Mean over the measured time."""
        return self.busy_s / self.device_s if self.device_s else None

    @property
    def power_w(self) -> float | None:
        """Mean over the measured time."""
        return self.power_ws / self.power_s if self.power_s else None

    @property
    def worth_an_alert(self) -> bool:
        """Too much of what is paid for is not used."""
        idle_s = self.idle_s or 0.0
        return idle_s >= ALERT_IDLE_S and idle_s >= ALERT_IDLE_SHARE * self.device_s

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Metered:
        """What `to_json` wrote, also that of a version with more or fewer figures."""
        names = {one.name for one in fields(cls)}
        known = {name: value for name, value in data.items() if name in names}
        return cls(**{**known, "silent": tuple(known.get("silent", ()))})


@dataclass(frozen=True, slots=True)
class MeterLog:
    """Figures so far and the reading that the next one is compared with."""

    metered: Metered = Metered()
    last: Reading | None = None

    def add(self, reading: Reading) -> MeterLog:
        """The log with one reading more. After a clock that was set, time counts from there."""
        metered = _with_moment(self.metered, reading)
        if self.last is not None:
            metered = _with_interval(metered, self.last, reading)
        return MeterLog(metered, reading)


def _with_moment(metered: Metered, reading: Reading) -> Metered:
    """Peaks, and figures that a single reading holds."""
    silent = {uuid for uuid, device in reading.devices.items() if device.silent}
    return replace(
        metered,
        at_ms=reading.at_ms,
        max_utilisation=_most(metered.max_utilisation, reading.utilisation),
        peak_memory_mib=_most(metered.peak_memory_mib, reading.memory_mib),
        # It falls for a moment when a child has ended and its parent has not noticed.
        cpu_s=_most(metered.cpu_s, reading.host.cpu_s),
        peak_ram_mib=_most(metered.peak_ram_mib, reading.host.ram_mib),
        idle_s=metered.idle_s if reading.utilisation is None else metered.idle_s or 0.0,
        silent=tuple(sorted(silent.union(metered.silent))),
    )


def _with_interval(metered: Metered, before: Reading, after: Reading) -> Metered:
    """What two neighbouring readings say of the time between them."""
    gap_s = (after.at_ms - before.at_ms) / 1000
    seen = 0.0 < gap_s <= LONGEST_GAP_S
    metered = replace(metered, energy_j=_energy_j(metered.energy_j, before, after, gap_s, seen))
    if not seen:  # a gap, or the clock was set
        return replace(metered, stretch_s=0.0)
    if _knows(before) and _knows(after):
        metered = replace(metered, covered_s=metered.covered_s + gap_s)
    used = _mean(before.utilisation, after.utilisation)
    power_w = _mean(before.power_w, after.power_w)
    if used is not None:
        device_s, busy_s = metered.device_s + gap_s, metered.busy_s + used * gap_s
        metered = replace(metered, device_s=device_s, busy_s=busy_s)
    if power_w is not None:
        power_s, power_ws = metered.power_s + gap_s, metered.power_ws + power_w * gap_s
        metered = replace(metered, power_s=power_s, power_ws=power_ws)
    return _with_idle(metered, gap_s, idle=_is_idle(before) and _is_idle(after))


def _with_idle(metered: Metered, gap_s: float, *, idle: bool) -> Metered:
    if not idle:
        return replace(metered, stretch_s=0.0)
    before_s, after_s = metered.stretch_s, metered.stretch_s + gap_s
    counted_s = before_s if before_s >= IDLE_FROM_S else 0.0
    gained_s = after_s - counted_s if after_s >= IDLE_FROM_S else 0.0
    return replace(metered, stretch_s=after_s, idle_s=(metered.idle_s or 0.0) + gained_s)


def _is_idle(reading: Reading) -> bool:
    """Every device says that it is; of one that says nothing nobody knows."""
    said = [device.utilisation for device in reading.devices.values()]
    return bool(said) and all(share is not None and share < IDLE_BELOW for share in said)


def _knows(reading: Reading) -> bool:
    host = reading.host
    return (
        host.cpu_s is not None
        or host.ram_mib is not None
        or any(not device.silent for device in reading.devices.values())
    )


def _energy_j(
    so_far_j: float | None, before: Reading, after: Reading, gap_s: float, seen: bool
) -> float | None:
    for uuid, now in after.devices.items():
        then = before.devices.get(uuid, DeviceReading())
        used_j = None
        if now.energy_j is not None and then.energy_j is not None:
            used_j = now.energy_j - then.energy_j  # also over a time in which nobody looked
        if used_j is None or used_j < 0:  # no counter, or it began again
            power_w = _mean(then.power_w, now.power_w)
            used_j = power_w * gap_s if power_w is not None and seen else None
        if used_j is not None:
            so_far_j = (so_far_j or 0.0) + used_j
    return so_far_j


def _mean(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else (one + other) / 2


def _most(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
