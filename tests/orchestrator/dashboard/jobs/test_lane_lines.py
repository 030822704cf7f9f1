"""Both lanes, line by line: nothing waits unexplained."""

from __future__ import annotations

from pathlib import Path

from budget.meters.base import DeviceReading
from orchestrator.dashboard.ink import text_of
from orchestrator.dashboard.jobs.lane_lines import lane_lines
from orchestrator.dashboard.jobs.lanes import READ_EVERY_MS, LaneWatch
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.executors.base import Device
from orchestrator.state.state import State
from orchestrator.views.run.view import run_view
from tests.orchestrator.dashboard.screens import script_of, second_fold
from tests.orchestrator.worlds import World, kfold


class Machine:
    """Two real devices, of which the first one is ever busier."""

    def __init__(self) -> None:
        self.reads = 0
        self.watch = LaneWatch(self.find, self.read, lambda: 0.5, 4)

    def find(self) -> list[Device]:
        return [Device("simulated-0", "Tesla T4"), Device("GPU-8c1f", "Tesla T4")]

    def read(self, uuids: object) -> dict[str, DeviceReading]:
        self.reads += 1
        return {
            "simulated-0": DeviceReading(utilisation=self.reads / 4, memory_mib=900.0),
            "GPU-8c1f": DeviceReading(),
        }


def lines(state: State, watch: LaneWatch, now_ms: int, width: int = 120) -> list[str]:
    views = tuple(run_view(run, now_ms, state.runs) for run in state.runs.values())
    screen = Screen(now_ms, state=state, views=views, lanes=watch.look(state, now_ms))
    return [" ".join(text_of(line).split()) for line in lane_lines(screen, width)][1:]


def test_a_device_says_who_keeps_it_how_busy_it_is_and_a_free_one_what_waits(
    tmp_path: Path,
) -> None:
    world, machine = second_fold(tmp_path), Machine()
    state, now_ms = world.scheduler.state, world.clock.now_ms()
    lines(state, machine.watch, now_ms)
    lines(state, machine.watch, now_ms + READ_EVERY_MS - 1)
    assert machine.reads == 1, "the driver is not asked at every look"
    busy, free, cpu = lines(state, machine.watch, now_ms + READ_EVERY_MS)
    assert busy == ("simulated-0 50% ▃▅ seedlings-1 fold 1 (2 of 3) ▮▮▮▮▯▯▯▯ 2/4 · 8–13 min to go")
    assert free.startswith("Tesla T4 8c1f no meter free · 1 waits · seedlings-1 fold 2 (3 of 3): ")
    assert cpu == "CPU 0 of 4 cores 50% ▅▅ free · nothing waits for it: 1 wait for other jobs"


def test_the_cores_say_what_works_on_them_and_how_far_it_is(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold())
    world.scheduler.tick()
    *_, cpu = lines(world.scheduler.state, Machine().watch, world.clock.now_ms())
    assert cpu.startswith("CPU 1 of 4 cores 50% ▅ scan")


def test_many_devices_are_counted_and_devices_elsewhere_replace_pretended_ones(
    tmp_path: Path,
) -> None:
    world = second_fold(tmp_path)
    state, now_ms = world.scheduler.state, world.clock.now_ms()
    many = LaneWatch(lambda: [Device(f"d{n}", "T4") for n in range(9)], lambda _: {}, lambda: 0, 1)
    shown = lines(state, many, now_ms)
    assert len(shown) == 9 and shown[7] == "and 3 devices more, 1 of them kept"
    pretended = LaneWatch(lambda: [Device("other", "", simulated=True)], None, lambda: 0.0, 1)
    assert [line.split()[0] for line in lines(state, pretended, now_ms)] == ["simulated-0", "CPU"]
