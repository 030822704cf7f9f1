"""Which accelerators this machine has, with the real pynvml on a stand-in for the driver."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.devices import SIMULATED, find_devices
from orchestrator.executors.base import Device
from tests.stand_ins.nvml import compiled

ASK = "from orchestrator.devices import find_devices; print(find_devices())"


def found_with(folder: Path, **environ: str) -> str:
    """What a fresh process finds, with `folder` first among the places of libraries."""
    return subprocess.run(
        [sys.executable, "-P", "-c", ASK],
        env={**os.environ, "SKINT_DEVICES": "", "LD_LIBRARY_PATH": str(folder), **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    return compiled(tmp_path).folder


def test_nvml_lists_the_cards_with_uuid_name_and_memory(driver: Path) -> None:
    found = found_with(driver)
    assert found.startswith("('nvml', ")
    assert repr(Device("GPU-aaaa", "NVIDIA GeForce RTX 3090", 24 * 1024)) in found
    assert repr(Device("GPU-bbbb", "Tesla T4", 16 * 1024)) in found


def test_what_nvml_sees_goes_before_what_is_declared(driver: Path) -> None:
    assert "GPU-zzzz" not in found_with(driver, SKINT_DEVICES="GPU-zzzz")


def test_a_mask_leaves_out_the_cards_that_a_person_hides(driver: Path) -> None:
    for mask in ("1", "GPU-bbbb"):
        found = found_with(driver, CUDA_VISIBLE_DEVICES=mask)
        assert "GPU-bbbb" in found and "GPU-aaaa" not in found


def test_one_may_practise_on_a_machine_that_has_cards(driver: Path) -> None:
    assert found_with(driver, SKINT_DEVICES="simulated").startswith("('simulated', ")


def test_a_library_that_is_no_driver_is_no_device(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    assert found_with(tmp_path).startswith("('simulated', ")


def test_declared_devices_are_taken_where_nvml_sees_none() -> None:
    source, devices = find_devices({"SKINT_DEVICES": "card-0:AMD MI60, card-1"})
    assert source == "declared"
    assert devices == (Device("card-0", "AMD MI60"), Device("card-1", "declared device"))
    assert find_devices({"SKINT_DEVICES": "none"}) == ("declared", ())


def test_without_any_there_is_one_simulated_device_that_says_so() -> None:
    assert find_devices({"SKINT_DEVICES": "simulated"}) == ("simulated", (SIMULATED,))
    _, two = find_devices({"SKINT_DEVICES": "simulated:2"})
    assert [one.uuid for one in two] == ["simulated-0", "simulated-1"]
    assert all(one.simulated for one in two)
    assert SIMULATED.simulated and "simulated" in SIMULATED.name
