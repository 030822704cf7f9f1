"""Devices and processes in one reading of each attempt."""

from __future__ import annotations

import os
import subprocess
import sys

from budget.meters.base import DeviceReading, HostReading, Meter, Reading, Watched
from budget.meters.fake import FakeMeter
from budget.meters.machine import MachineMeter


def test_a_simulated_device_says_nothing_and_the_host_is_read_all_the_same() -> None:
    watched = [Watched("a.train.1", ("simulated-0",), os.getpid()), Watched("a.scan.1")]
    found = MachineMeter().read(watched, 7)
    train = found["a.train.1"]
    assert (train.at_ms, train.devices) == (7, {"simulated-0": DeviceReading()})
    assert (train.utilisation, train.memory_mib, train.power_w) == (None, None, None)
    assert train.host.cpu_s is not None and (train.host.ram_mib or 0) > 5
    assert found["a.scan.1"] == Reading(7)


def test_of_several_devices_the_known_ones_count() -> None:
    both = Reading(0, {"a": DeviceReading(0.2, 100, 50), "b": DeviceReading(0.6, 300, 70)})
    assert (both.utilisation, both.memory_mib, both.power_w) == (0.4, 400, 120)
    one = Reading(0, {"a": DeviceReading(), "b": DeviceReading(0.0, 0.0, 0.0)})
    assert (one.utilisation, one.memory_mib, one.power_w) == (0.0, 0.0, 0.0)


def test_the_fake_says_what_it_was_told_and_is_silent_else() -> None:
    meter: Meter = FakeMeter()
    silent = meter.read([Watched("a.train.1", ("x",))], 5)
    assert silent == {"a.train.1": Reading(5, {"x": DeviceReading()})}
    told = FakeMeter(
        lambda uuid, now_ms: DeviceReading(now_ms / 100), lambda attempt, now_ms: HostReading(1, 2)
    )
    found = told.read([Watched("a.train.1", ("x",))], 50)["a.train.1"]
    assert (found.utilisation, found.host) == (0.5, HostReading(1, 2))
    assert [at_ms for at_ms, _ in told.asked] == [50]


def test_neither_psutil_nor_pynvml_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys, budget.meters.machine, budget.meters.fake, budget.meters.log\n"
        "budget.meters.machine.MachineMeter().read([], 0)\n"
        "assert not {'psutil', 'pynvml', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-P", "-c", script], check=True)
