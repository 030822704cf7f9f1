"""What a meter reads. A figure that nobody could read is None; it is never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """One accelerator at one moment."""

    utilisation: float | None = None
    """Share of 0 to 1 of the last moments in which it computed anything at all."""
    memory_mib: float | None = None
    """In use on it, by whomever."""
    power_w: float | None = None
    energy_j: float | None = None
    """What its counter says; counters start anywhere and may start again."""

    @property
    def silent(self) -> bool:
        """Nothing at all could be read."""
        return self == DeviceReading()


@dataclass(frozen=True, slots=True)
class HostReading:
    """The processes of an attempt at one moment."""

    cpu_s: float | None = None
    """Processor seconds since they were started, those of children that have ended included."""
    ram_mib: float | None = None
    """Resident memory. What several of them share counts for each, so this is an upper bound."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An attempt at one moment: each device that is kept for it, and its processes."""

    at_ms: int
    devices: Mapping[str, DeviceReading] = field(default_factory=dict)
    """By UUID; one that could not be read is there and says nothing."""
    host: HostReading = HostReading()

    @property
    def utilisation(self) -> float | None:
        """Mean of the devices that say."""
        known = [d.utilisation for d in self.devices.values() if d.utilisation is not None]
        return sum(known) / len(known) if known else None

    @property
    def memory_mib(self) -> float | None:
        """Sum over the devices that say."""
        known = [d.memory_mib for d in self.devices.values() if d.memory_mib is not None]
        return sum(known) if known else None

    @property
    def power_w(self) -> float | None:
        """Sum over the devices that say."""
        known = [d.power_w for d in self.devices.values() if d.power_w is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Watched:
    """An attempt that a meter is to look at."""

    attempt: str
    devices: tuple[str, ...] = ()
    """UUIDs of the devices that are kept for it."""
    pid: int | None = None
    """The process that all its processes descend from; None where it is not known."""


class Meter(Protocol):
    def read(self, watched: Sequence[Watched], now_ms: int) -> Mapping[str, Reading]:
        """A reading of each attempt, by its name. What cannot be read is None; never raises."""
