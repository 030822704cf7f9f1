"""The real pynvml on a stand-in for the driver: cards that fail, vanish, and do not know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from budget.meters.base import DeviceReading
from tests.stand_ins.nvml import StandIn, compiled

LOOK = """
import dataclasses, json, sys
from budget.meters.nvml import NvmlMeter
meter = NvmlMeter()
for line in sys.stdin:
    found = meter.read(json.loads(line))
    print(json.dumps({uuid: dataclasses.asdict(one) for uuid, one in found.items()}), flush=True)
"""
GOOD = "GPU-aaaa 40 1024 71500 123456 0"
BOTH = ("GPU-aaaa", "GPU-bbbb")
SILENT = DeviceReading()

Look = Callable[..., dict[str, DeviceReading]]


@pytest.fixture
def driver(tmp_path: Path) -> StandIn:
    return compiled(tmp_path)


@pytest.fixture
def look(driver: StandIn) -> Iterator[Look]:
    """One meter in a process of its own, asked again and again."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", LOOK],
        env={**os.environ, **driver.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def read(*uuids: str) -> dict[str, DeviceReading]:
            asked.write(json.dumps(uuids) + "\n")
            asked.flush()
            found: dict[str, Any] = json.loads(answers.readline())
            return {uuid: DeviceReading(**figures) for uuid, figures in found.items()}

        yield read
        asked.close()
        assert process.wait() == 0


def test_each_device_is_read_by_its_uuid_in_our_units(driver: StandIn, look: Look) -> None:
    driver.say(GOOD, "GPU-bbbb 100 15000 250000 8000000000 0")
    assert look(*BOTH) == {
        "GPU-aaaa": DeviceReading(0.4, 1024.0, 71.5, 123.456),
        "GPU-bbbb": DeviceReading(1.0, 15000.0, 250.0, 8_000_000.0),
    }
    assert look("GPU-bbbb").keys() == {"GPU-bbbb"}


def test_an_idle_device_reads_zero_which_is_not_none(driver: StandIn, look: Look) -> None:
    driver.say("GPU-aaaa 0 0 0 0 0")
    assert look("GPU-aaaa") == {"GPU-aaaa": DeviceReading(0.0, 0.0, 0.0, 0.0)}


def test_a_card_that_fails_says_nothing_and_the_other_goes_on(driver: StandIn, look: Look) -> None:
    for code in (999, 15, 1):  # unknown, lost, uninitialised
        driver.say(GOOD, f"GPU-bbbb 50 1024 71500 1 {code}")
        assert look(*BOTH) == {
            "GPU-aaaa": DeviceReading(0.4, 1024.0, 71.5, 123.456),
            "GPU-bbbb": SILENT,
        }


def test_a_card_that_vanishes_says_nothing_until_it_is_back(driver: StandIn, look: Look) -> None:
    driver.say(GOOD, "GPU-bbbb 50 1024 71500 1 0")
    assert look(*BOTH)["GPU-bbbb"].utilisation == 0.5
    driver.say(GOOD)
    assert look(*BOTH) == {
        "GPU-aaaa": DeviceReading(0.4, 1024.0, 71.5, 123.456),
        "GPU-bbbb": SILENT,
    }
    driver.say(GOOD, "GPU-bbbb 60 1024 71500 1 0")
    assert look(*BOTH)["GPU-bbbb"].utilisation == 0.6


def test_a_figure_that_a_card_does_not_know_is_none_alone(driver: StandIn, look: Look) -> None:
    driver.say("GPU-aaaa 40 - 71500 - 0")
    assert look("GPU-aaaa") == {"GPU-aaaa": DeviceReading(0.4, None, 71.5, None)}


def test_a_figure_that_cannot_be_is_none(driver: StandIn, look: Look) -> None:
    driver.say("GPU-aaaa 4294967295 1024 4294967295 7 0")  # how NVML writes "not available"
    assert look("GPU-aaaa") == {"GPU-aaaa": DeviceReading(None, 1024.0, None, 0.007)}


def test_a_driver_that_is_replaced_under_the_meter_is_found_again(
    driver: StandIn, look: Look
) -> None:
    driver.say(GOOD)
    assert look("GPU-aaaa")["GPU-aaaa"].utilisation == 0.4
    driver.say("init 9", "GPU-aaaa 40 1 1 1 18")  # not loaded; version mismatch
    assert look("GPU-aaaa") == look("GPU-aaaa") == {"GPU-aaaa": SILENT}
    driver.say(GOOD)
    assert look("GPU-aaaa")["GPU-aaaa"].utilisation == 0.4


def test_what_is_no_device_of_the_driver_says_nothing(driver: StandIn, look: Look) -> None:
    driver.say(GOOD)
    assert look("simulated-0", "card-0") == {"simulated-0": SILENT, "card-0": SILENT}
    assert look() == {}


def test_without_a_driver_every_device_is_silent(driver: StandIn, look: Look) -> None:
    (driver.folder / "libnvidia-ml.so.1").write_text("not a library")
    assert look("GPU-aaaa") == {"GPU-aaaa": SILENT}
