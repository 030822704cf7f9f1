"""Readings become figures: what was not measured is not guessed, and nothing is a silent zero."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from budget.meters.base import DeviceReading, HostReading, Reading
from budget.meters.log import (
    ALERT_IDLE_S,
    IDLE_BELOW,
    IDLE_FROM_S,
    LONGEST_GAP_S,
    Metered,
    MeterLog,
)

START_MS = 1_795_219_200_000


def reading(
    at_s: float, *devices: DeviceReading, cpu_s: float | None = None, ram: float | None = None
) -> Reading:
    kept = {f"GPU-{number}": device for number, device in enumerate(devices)}
    return Reading(START_MS + round(at_s * 1000), kept, HostReading(cpu_s, ram))


def each_5_s(shares: Iterable[float | None], *, from_s: float = 0) -> list[Reading]:
    return [reading(from_s + 5 * n, DeviceReading(share)) for n, share in enumerate(shares)]


def accumulate(readings: Iterable[Reading], metered: Metered | None = None) -> Metered:
    log = MeterLog(metered or Metered())
    for one in readings:
        log = log.add(one)
    return log.metered


def test_means_are_by_time_and_peaks_are_the_most_that_was_seen() -> None:
    found = accumulate(
        [
            reading(0, DeviceReading(0.2, 1000, 100), cpu_s=1, ram=300),
            reading(5, DeviceReading(0.4, 3000, 200), cpu_s=7, ram=500),
            reading(25, DeviceReading(0.8, 2000, 200), cpu_s=30, ram=400),
        ]
    )
    assert found.covered_s == found.device_s == 25
    assert found.utilisation == pytest.approx((0.3 * 5 + 0.6 * 20) / 25)
    assert found.power_w == pytest.approx((150 * 5 + 200 * 20) / 25)
    assert (found.max_utilisation, found.peak_memory_mib) == (0.8, 3000)
    assert (found.cpu_s, found.peak_ram_mib) == (30, 500)
    assert found.at_ms == START_MS + 25_000


def test_what_nobody_could_read_is_none_and_the_rest_is_there() -> None:
    found = accumulate([reading(0, DeviceReading(), cpu_s=1), reading(5, DeviceReading(), cpu_s=3)])
    assert (found.utilisation, found.max_utilisation, found.idle_s) == (None, None, None)
    assert (found.peak_memory_mib, found.power_w, found.energy_j) == (None, None, None)
    assert found.peak_ram_mib is None
    assert (found.cpu_s, found.covered_s, found.silent) == (3, 5, ("GPU-0",))


def test_one_reading_covers_no_time() -> None:
    found = accumulate([reading(0, DeviceReading(0.5, 10, 20, 30), cpu_s=1, ram=2)])
    assert (found.covered_s, found.utilisation, found.energy_j) == (0, None, None)
    assert found.max_utilisation == 0.5
    assert accumulate([]) == Metered()


def test_a_time_in_which_nobody_looked_is_not_measured() -> None:
    """Edge 5: the host was suspended, or the scheduler was down: the gap is said, not guessed."""
    asleep_s = LONGEST_GAP_S + 1
    found = accumulate([*each_5_s([0.5, 0.5]), *each_5_s([0.5, 0.5], from_s=5 + asleep_s)])
    assert found.covered_s == 10
    just = accumulate([*each_5_s([0.5, 0.5]), *each_5_s([0.5, 0.5], from_s=5 + LONGEST_GAP_S)])
    assert just.covered_s == 10 + LONGEST_GAP_S


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    """Edge 3: time never counts backwards, and goes on from where the clock stands."""
    before = each_5_s([0.5, 0.5, 0.5], from_s=7200)
    found = accumulate([*before, *each_5_s([0.5, 0.5, 0.5])])
    assert (found.covered_s, found.utilisation) == (20, 0.5)


def test_energy_is_what_the_counters_of_all_devices_moved() -> None:
    found = accumulate(
        [
            reading(0, DeviceReading(energy_j=900.0), DeviceReading(energy_j=10.0)),
            reading(5, DeviceReading(energy_j=1000.0), DeviceReading(energy_j=40.0)),
            reading(10, DeviceReading(energy_j=1500.0), DeviceReading(energy_j=40.0)),
        ]
    )
    assert found.energy_j == 630


def test_energy_over_a_gap_is_known_from_the_counter_but_not_from_the_power() -> None:
    far_s = LONGEST_GAP_S * 10
    counted = [reading(0, DeviceReading(energy_j=1.0)), reading(far_s, DeviceReading(energy_j=9.0))]
    assert accumulate(counted).energy_j == 8
    only_power = [reading(0, DeviceReading(power_w=1.0)), reading(far_s, DeviceReading(power_w=9))]
    assert accumulate(only_power).energy_j is None


def test_a_counter_that_begins_again_gives_way_to_the_power() -> None:
    found = accumulate(
        [
            reading(0, DeviceReading(power_w=100, energy_j=5000)),
            reading(5, DeviceReading(power_w=100, energy_j=5400)),
            reading(10, DeviceReading(power_w=200, energy_j=3)),  # the driver was loaded anew
            reading(15, DeviceReading(power_w=200, energy_j=1003)),
        ]
    )
    assert found.energy_j == pytest.approx(400 + 150 * 5 + 1000)
    lost = [reading(0, DeviceReading(energy_j=50.0)), reading(5, DeviceReading(energy_j=3.0))]
    assert accumulate(lost).energy_j is None


def test_without_a_counter_energy_is_power_by_time() -> None:
    powers = [reading(0, DeviceReading(power_w=50)), reading(10, DeviceReading(power_w=150))]
    assert accumulate(powers).energy_j == 1000


def test_a_device_that_vanishes_leaves_its_figures_and_the_others_go_on() -> None:
    good = DeviceReading(0.6, 1000, 100, 50)
    found = accumulate(
        [
            reading(0, good, good),
            reading(5, DeviceReading(0.6, 1000, 100, 150), DeviceReading(0.6, 1000, 100, 150)),
            reading(10, DeviceReading(0.6, 1000, 100, 350), DeviceReading()),
        ]
    )
    assert found.energy_j == 100 + 100 + 200
    assert (found.device_s, found.peak_memory_mib) == (10, 2000)
    assert found.utilisation == pytest.approx(0.6)
    assert found.silent == ("GPU-1",)


def test_kept_but_idle_counts_only_from_a_stated_length_on_and_then_in_full() -> None:
    """Edge 32: an idle session is charged, so its idle time is told."""
    steps = round(IDLE_FROM_S / 5)
    short = accumulate(each_5_s([0.9] + [0.0] * steps + [0.9]))
    assert short.idle_s == 0
    long = accumulate(each_5_s([0.9] + [0.0] * (steps + 1) + [0.9]))
    assert long.idle_s == IDLE_FROM_S
    longer = accumulate(each_5_s([0.9] + [0.0] * (steps + 4) + [0.9]))
    assert longer.idle_s == IDLE_FROM_S + 15


def test_two_idle_stretches_are_two_and_the_pause_between_them_is_none() -> None:
    """Edge 36: CPU work that keeps a device is charged for it, and shows as idle."""
    stretch = [0.0] * 21
    found = accumulate(each_5_s([*stretch, 1.0, *stretch, 1.0, 0.0, 0.0]))
    assert found.idle_s == 200


def test_just_at_the_threshold_a_device_works() -> None:
    assert accumulate(each_5_s([IDLE_BELOW] * 40)).idle_s == 0
    assert accumulate(each_5_s([IDLE_BELOW - 0.001] * 40)).idle_s == 195


def test_of_a_device_that_says_nothing_nobody_knows_that_it_is_idle() -> None:
    idle, unknown = DeviceReading(0.0), DeviceReading()
    found = accumulate([reading(5 * n, idle, unknown) for n in range(40)])
    assert found.idle_s == 0
    busy = accumulate([reading(5 * n, idle, DeviceReading(0.9)) for n in range(40)])
    assert busy.idle_s == 0


def test_an_idle_stretch_ends_where_nobody_looked() -> None:
    almost = each_5_s([0.0] * 12)  # 55 s
    after = each_5_s([0.0] * 12, from_s=55 + LONGEST_GAP_S * 2)
    assert accumulate([*almost, *after]).idle_s == 0


def test_processor_seconds_never_fall() -> None:
    found = accumulate([reading(0, cpu_s=5), reading(5, cpu_s=9), reading(10, cpu_s=8)])
    assert found.cpu_s == 9


def test_an_alert_is_for_much_idle_time_that_is_much_of_the_whole() -> None:
    def told(idle_s: float, device_s: float) -> bool:
        return Metered(idle_s=idle_s, device_s=device_s).worth_an_alert

    assert told(ALERT_IDLE_S, 2 * ALERT_IDLE_S)
    assert not told(ALERT_IDLE_S - 1, ALERT_IDLE_S)
    assert not told(ALERT_IDLE_S, 2 * ALERT_IDLE_S + 1)
    assert not Metered(device_s=0).worth_an_alert


def test_figures_go_on_after_a_restart_from_what_was_kept() -> None:
    whole = [reading(5 * n, DeviceReading(0.5, 100, 10, 7.0 * n), cpu_s=n) for n in range(9)]
    kept = Metered.from_json(accumulate(whole[:5]).to_json())
    found = accumulate(whole[5:], kept)
    assert found.covered_s == 35  # the 5 s between the two schedulers are nobody's
    assert found.energy_j == 7 * 7
    assert found.cpu_s == 8
    assert MeterLog(kept).last is None


def test_figures_of_another_version_are_read() -> None:
    assert Metered.from_json({}) == Metered()
    assert Metered.from_json({"covered_s": 5, "new": 1, "silent": ["a"]}) == Metered(
        covered_s=5, silent=("a",)
    )
