"""The meter of this machine: its devices and the processes of each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from budget.meters.base import DeviceReading, HostReading, Reading, Watched
from budget.meters.host import read_trees
from budget.meters.nvml import NvmlMeter


class MachineMeter:
    """A `Meter`."""

    def __init__(self) -> None:
        self._nvml = NvmlMeter()

    def read(self, watched: Sequence[Watched], now_ms: int) -> Mapping[str, Reading]:
        devices = self._nvml.read(sorted({uuid for one in watched for uuid in one.devices}))
        trees = read_trees([one.pid for one in watched if one.pid is not None])
        return {
            one.attempt: Reading(
                now_ms,
                {uuid: devices.get(uuid, DeviceReading()) for uuid in one.devices},
                HostReading() if one.pid is None else trees.get(one.pid, HostReading()),
            )
            for one in watched
        }
