"""Both lanes at one moment: which device is kept by whom and how much of it is used, and the cores.

Reads the driver and the kernel, so it belongs into the reader's thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from budget.meters.base import DeviceReading
from orchestrator.executors.base import Device
from orchestrator.state.state import State, job_of

READ_EVERY_MS = 2_000
KEPT = 40
"""Readings that a curve can show."""
LOCAL = "local"
SIMULATED = "simulated"


@dataclass(frozen=True)
class DeviceNow:
    uuid: str
    name: str
    simulated: bool = False
    run: str = ""
    """Whose job it is kept for; empty where it is free."""
    jobs: tuple[str, ...] = ()
    use: float | None = None
    """Share of 0 to 1 at the last reading; None where nobody could read it."""
    mean: bool = False
    """`use` is the mean of the attempt so far: nobody reads it from here."""
    history: tuple[float, ...] = ()
    memory_mib: float | None = None


@dataclass(frozen=True)
class Lanes:
    devices: tuple[DeviceNow, ...] = ()
    cores: int = 0
    taken: int = 0
    """Cores that jobs of the CPU lane keep."""
    working: tuple[tuple[str, str], ...] = ()
    """Run and job of each of them."""
    cpu: float | None = None
    """Share of 0 to 1 of all cores that is used by whomever."""
    cpu_history: tuple[float, ...] = ()

    @property
    def uses(self) -> Mapping[tuple[str, str], float]:
        """How much of its devices each job uses, by run and job; those that share one have the
        same."""
        return {
            (device.run, job): device.use
            for device in self.devices
            for job in device.jobs
            if device.use is not None
        }


class LaneWatch:
    """Looks at the machine now and then.

    `find` gives the devices here, `read` what each does, by UUID, `cpu_share` how much of all
    cores is used; each is the machine's own unless a test or a picture brings its own.
    """

    def __init__(
        self,
        find: Callable[[], Sequence[Device]] | None = None,
        read: Callable[[Sequence[str]], Mapping[str, DeviceReading]] | None = None,
        cpu_share: Callable[[], float | None] | None = None,
        cores: int | None = None,
    ) -> None:
        self._find, self._read = find, read
        self._cpu_share = cpu_share or _CpuShare()
        self._cores = cores or len(os.sched_getaffinity(0))
        self._found: tuple[Device, ...] | None = None
        self._read_ms: int | None = None
        self._readings: Mapping[str, DeviceReading] = {}
        self._uses: dict[str, deque[float]] = {}
        self._cpu: deque[float] = deque(maxlen=KEPT)

    def look(self, state: State, now_ms: int) -> Lanes:
        """What is kept and used at `now_ms`; the meters are read if a reading is due."""
        if self._read_ms is None or not 0 <= now_ms - self._read_ms < READ_EVERY_MS:
            self._read_ms = now_ms
            self._measure()
        kept = _kept(state)
        found = {device.uuid: device for device in self._found or ()}
        elsewhere = {uuid: Device(uuid, "") for uuid in kept if uuid not in found}
        practice = all(device.simulated for device in found.values())
        if practice and elsewhere and not kept.keys() & found.keys():
            found = {}  # what is kept is elsewhere: nobody asks for pretended ones
        taking = [(run.name, a) for run, a in state.live_attempts() if a.executor == LOCAL]
        working = [(name, a) for name, a in taking if not a.devices]
        return Lanes(
            devices=tuple(
                self._device(device, kept.get(device.uuid))
                for device in (*found.values(), *elsewhere.values())
            ),
            cores=self._cores,
            taken=sum(attempt.cpus for _, attempt in working),
            working=tuple((name, attempt.job) for name, attempt in working),
            cpu=self._cpu[-1] if self._cpu else None,
            cpu_history=tuple(self._cpu),
        )

    def _device(self, device: Device, keeper: _Keeper | None) -> DeviceNow:
        reading = self._readings.get(device.uuid, DeviceReading())
        use = reading.utilisation
        if use is None and keeper is not None:
            use = keeper.mean_use
        return DeviceNow(
            device.uuid,
            device.name,
            device.simulated or device.uuid.startswith(SIMULATED),
            run=keeper.run if keeper else "",
            jobs=keeper.jobs if keeper else (),
            use=use,
            mean=use is not None and reading.utilisation is None,
            history=tuple(self._uses.get(device.uuid, ())),
            memory_mib=reading.memory_mib,
        )

    def _measure(self) -> None:
        if self._found is None:
            self._found = tuple((self._find or _devices_here)())
        real = [device.uuid for device in self._found if not device.simulated]
        if self._read is None and real:
            from budget.meters.nvml import NvmlMeter

            self._read = NvmlMeter().read
        self._readings = self._read(real) if self._read is not None and real else {}
        for uuid, reading in self._readings.items():
            if reading.utilisation is not None:
                self._uses.setdefault(uuid, deque(maxlen=KEPT)).append(reading.utilisation)
        share = self._cpu_share()
        if share is not None:
            self._cpu.append(share)


@dataclass(frozen=True)
class _Keeper:
    run: str
    jobs: tuple[str, ...]
    mean_use: float | None


def _kept(state: State) -> dict[str, _Keeper]:
    """By device, who keeps it."""
    found: dict[str, _Keeper] = {}
    for run in state.live_runs():
        for allocation in run.kept:
            for number, name in enumerate(allocation.attempts):
                attempt = run.attempts.get(name)
                if attempt is not None and not attempt.live:
                    continue
                metered = attempt.metered if attempt is not None else None
                for uuid in allocation.devices_of(number):
                    known = found.get(uuid)
                    jobs = (*known.jobs, job_of(name)) if known else (job_of(name),)
                    mean = metered.utilisation if metered else known.mean_use if known else None
                    found[uuid] = _Keeper(run.name, jobs, mean)
    return found


def _devices_here() -> Sequence[Device]:
    from orchestrator.devices import find_devices  # what its import costs is not the first paint's

    return find_devices()[1]


class _CpuShare:
    """How much of all cores was used since the last call."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> float | None:
        """None the first time: there is nothing to compare with, and the first screen is not to
        wait for an import."""
        if not self._asked:
            self._asked = True
            return None
        import psutil

        return float(psutil.cpu_percent(None)) / 100
