"""NVIDIA's management library, through pynvml.

Whatever fails is None: a driver that is missing, a card that does not know a figure, one that has
fallen off the bus. The others go on, and the next reading tries again.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from budget.meters.base import DeviceReading

LIBRARY = "libnvidia-ml.so.1"
MIB = 1 << 20
MOST_POWER_W = 100_000.0
"""A card that says more says that it does not know."""


@contextmanager
def opened() -> Iterator[ModuleType | None]:
    """pynvml, initialised; None where the driver or its library is missing."""
    try:
        ctypes.CDLL(LIBRARY)  # a missing driver is known sooner than pynvml is imported
    except OSError:
        yield None
        return
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


class NvmlMeter:
    """Reads devices by UUID. The library stays open from one reading to the next; it is closed
    when there is nothing to read, and when no device answers: the driver may have been replaced."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._nvml: ModuleType | None = None

    def read(self, uuids: Sequence[str]) -> Mapping[str, DeviceReading]:
        """A reading of each device, by its UUID."""
        if uuids and self._nvml is None:
            self._nvml = self._open.enter_context(opened())
        if not uuids or self._nvml is None:
            self.close()
            return {uuid: DeviceReading() for uuid in uuids}
        found = {uuid: _read(self._nvml, uuid) for uuid in uuids}
        if all(device.silent for device in found.values()):
            self.close()
        return found

    def close(self) -> None:
        """Let go of the driver. Twice is harmless."""
        self._open.close()
        self._nvml = None


def _read(nvml: ModuleType, uuid: str) -> DeviceReading:
    def ask(question: Callable[[Any], float], most: float) -> float | None:
        try:
            value = question(nvml.nvmlDeviceGetHandleByUUID(uuid))
        except nvml.NVMLError:
            return None
        return value if 0 <= value <= most else None

    return DeviceReading(
        utilisation=ask(lambda h: nvml.nvmlDeviceGetUtilizationRates(h).gpu / 100, 1.0),
        memory_mib=ask(lambda h: nvml.nvmlDeviceGetMemoryInfo(h).used / MIB, float("inf")),
        power_w=ask(lambda h: nvml.nvmlDeviceGetPowerUsage(h) / 1000, MOST_POWER_W),
        energy_j=ask(lambda h: nvml.nvmlDeviceGetTotalEnergyConsumption(h) / 1000, float("inf")),
    )
