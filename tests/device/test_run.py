"""A run by the command line: charged hours, a fold that is started ahead, meters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from budget.meters.nvml import NvmlMeter, opened
from orchestrator.views.run.gaps import cold_start_ms, gaps, in_step_share, preparation_ms
from skint.process import survivors
from tests.device.given import Given
from tests.device.runs import PATIENCE_S, RUN, charged_ms, looked_at, prepared, run_of
from tests.terminal import Terminal, until

pytestmark = pytest.mark.device

Note = Callable[[str, object], None]


def on_devices() -> set[int]:
    """Processes that have memory on a device, as far as the driver tells."""
    found: set[int] = set()
    with opened() as nvml:
        if nvml is None:
            return found
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            try:
                running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
            except nvml.NVMLError:
                continue
            found |= {int(one.pid) for one in running}
    return found


def test_the_second_fold_is_ready_without_a_device_and_both_are_charged(
    given: Given, tmp_path: Path, record_property: Note
) -> None:
    prepared(tmp_path, given)
    terminal = Terminal(tmp_path, given.only_one)  # for which the second fold has to wait
    hold = terminal.write("hold", "until the next fold is ready")
    running = terminal.begin("run", "plan.yaml")
    until(lambda: (tmp_path / "home" / "store.db").exists() or running.poll() is not None)
    with looked_at(terminal) as store:

        def is_ready() -> bool:
            assert running.poll() is None, running.communicate()
            run = run_of(store.state())
            if run is None or not any(a.reports for a in run.attempts.values() if a.devices):
                return False  # the first fold is not at work
            return any(standby.status == "ready" for standby in run.standbys.values())

        until(is_ready, PATIENCE_S)
        run = run_of(store.state())
        assert run is not None
        (standby,) = run.standbys.values()
        (first,) = (attempt for attempt in run.attempts.values() if attempt.devices)
        there = on_devices()
        ahead = set(survivors(standby.id, standby.path))
        at_work = set(survivors(first.id, Path(first.folder)))
        assert ahead and at_work
        if given.is_real:
            tells = bool(at_work & there)
            record_property("the driver tells whose memory it is", tells)
            assert not tells or not ahead & there
        hold.unlink()
        out, err = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == 0, out + err
        run = run_of(store.state())
    assert run is not None
    (gap,) = gaps(run)
    assert gap.ahead
    cold_ms, ready_ms = cold_start_ms(run), preparation_ms(run)
    assert cold_ms is not None or ready_ms is not None
    record_property("gap between the folds", f"{gap.ms / 1000:.3f} s")
    record_property("of it charged", f"{gap.start_ms / 1000:.3f} s")
    record_property("a cold start", "none was seen" if cold_ms is None else f"{cold_ms / 1000} s")
    record_property("getting ready", "not known" if ready_ms is None else f"{ready_ms / 1000} s")
    share = in_step_share(run)
    assert share is not None and 0 < share <= 1
    # The share of the whole run has the wait of the first fold in it, in a step.
    second = next(a for a in run.attempts.values() if ".fold1." in a.id)
    kept_s = ((second.ended_ms or 0) - (second.started_ms or 0)) / 1000
    in_step_s = sum(float(report.get("in_step_s", 0)) for report in second.reports)
    record_property("the second fold, in steps", f"{in_step_s:.2f} s of {kept_s:.2f} s")

    charged = charged_ms(terminal)
    kept = [a for a in run.allocations.values() if a.start_ms is not None and a.end_ms is not None]
    walls = [(a.end_ms or 0) - (a.start_ms or 0) for a in kept]
    assert len(walls) == 2 and charged == sum(walls)
    shown = terminal.skint("show", RUN).out
    total = re.search(r"charged +(?:(\d+) min )?(\d+)\.(\d{3}) s", shown)
    assert total is not None, shown
    minutes, seconds, milliseconds = (int(part or 0) for part in total.groups())
    assert (minutes * 60 + seconds) * 1000 + milliseconds == charged
    record_property("charged", f"{charged / 1000:.3f} s")

    for fold in ("fold0", "fold1"):
        attempt = next(a for a in run.attempts.values() if f".{fold}." in a.id)
        seen = json.loads((tmp_path / f"seen-{fold}-0.json").read_text())
        if not given.is_real:
            assert seen["uuids"] == []
        elif given.by_uuid:
            assert seen["uuids"] == list(attempt.devices) == list(given.one)
    terminal.skint("scheduler", "stop")


def test_the_meters_read_the_device(given: Given, record_property: Note) -> None:
    if given.is_real and not given.by_uuid:
        pytest.skip("no NVML here")
    ballast = torch.ones(1 << 20, device=given.kind)
    meter = NvmlMeter()
    try:
        reading = meter.read(given.one)[given.one[0]]
    finally:
        meter.close()
    del ballast
    if not given.is_real:
        assert reading.silent
        return
    record_property("busy", reading.utilisation)
    record_property("memory (MiB)", reading.memory_mib)
    record_property("power (W)", reading.power_w)
    record_property("energy counter (J)", reading.energy_j)
    assert reading.utilisation is not None
    assert reading.memory_mib is not None and reading.memory_mib > 4
    # Some cards count neither.
    assert reading.power_w is None or reading.power_w > 0
