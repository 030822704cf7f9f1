"""torch and its devices, asked in a process of its own; the driver, asked through NVML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from budget.meters.nvml import opened
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.devices import DECLARED, MASK, find_devices

TIMEOUT_S = 120.0
"""A cold disk takes its time to give torch."""

_ASK = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "hip": getattr(torch.version, "hip", None),
    "devices": [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    if cuda else [],
    "mps": bool(getattr(torch.backends, "mps", None) and torch.backends.mps.is_available()),
    "threads": torch.get_num_threads(),
}))
"""


@dataclass(frozen=True)
class Torch:
    version: str
    cuda: str | None = None
    """The version it was built for."""
    hip: str | None = None
    devices: tuple[str, ...] = ()
    mps: bool = False


@dataclass(frozen=True)
class Driver:
    version: str
    cuda: tuple[int, int]
    """The newest that it serves."""
    devices: int


def look(machine: Machine) -> Iterator[Finding]:
    driver = ask_driver()
    torch: Torch | str | None = None
    if find_spec("torch") is not None:
        torch = ask_torch(TIMEOUT_S)
        yield (
            bad("torch", torch, "pip install --force-reinstall torch torchvision")
            if isinstance(torch, str)
            else ok("torch", _in_words(torch))
        )
    seen = torch if isinstance(torch, Torch) else None
    yield from compared(driver, seen, machine.environ.get(MASK))
    yield _devices(machine)


def ask_torch(timeout_s: float) -> Torch | str:
    """What torch sees, or a sentence that says why nobody knows."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CUDA_MODULE_LOADING": "LAZY"},
        )
    except subprocess.TimeoutExpired:
        return f"torch was not imported within {timeout_s:g} s: a driver may hang"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return f"torch cannot be imported: {lines[-1]}"
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return Torch(said["torch"], said["cuda"], said["hip"], tuple(said["devices"]), said["mps"])


def ask_driver() -> Driver | None:
    with opened() as nvml:
        if nvml is None:
            return None
        version = nvml.nvmlSystemGetDriverVersion()
        number = int(nvml.nvmlSystemGetCudaDriverVersion())  # 12040 is 12.4
        pair = number // 1000, number % 1000 // 10
        return Driver(str(version), pair, int(nvml.nvmlDeviceGetCount()))


def compared(driver: Driver | None, torch: Torch | None, mask: str | None) -> Iterator[Finding]:
    """Whether torch can use what the driver has."""
    if driver is None:
        return
    newest = ".".join(map(str, driver.cuda))
    about = f"driver {driver.version}, CUDA up to {newest}, {driver.devices} device(s)"
    if torch is None or torch.devices:
        fewer = torch is not None and len(torch.devices) < driver.devices and not mask
        yield warn("driver", f"{about}; torch sees {len(torch.devices)} of them",
                   "nvidia-smi") if fewer and torch else ok("driver", about)  # fmt: skip
    elif torch.hip:
        yield bad("driver", f"{about}; this torch is built for AMD (ROCm {torch.hip})",
                  "pip install --force-reinstall torch torchvision")  # fmt: skip
    elif torch.cuda is None:
        index = f"https://download.pytorch.org/whl/cu{driver.cuda[0]}{driver.cuda[1]}"
        yield bad(
            "driver",
            f"{about}; this torch is built for the CPU",
            f"pip install --force-reinstall torch torchvision --index-url {index}",
        )
    elif _numbers(torch.cuda) > driver.cuda:
        yield bad(
            "driver",
            f"{about}; this torch is built for CUDA {torch.cuda}",
            f"a newer driver, or a torch for CUDA {newest}",
        )
    elif mask == "":
        yield warn("driver", f"{about}; {MASK} is empty and hides all", f"unset {MASK}")
    else:
        yield bad("driver", f"{about}; torch sees none of them", "nvidia-smi")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _in_words(torch: Torch) -> str:
    built = f"CUDA {torch.cuda}" if torch.cuda else f"ROCm {torch.hip}" if torch.hip else "the CPU"
    sees = ", ".join(torch.devices) or ("Apple's GPU" if torch.mps else "no device")
    return f"torch {torch.version} for {built}, sees {sees}"


def _devices(machine: Machine) -> Finding:
    source, devices = find_devices(machine.environ)
    if not devices:
        return warn("devices", f"{DECLARED}=none: nothing can be trained", f"unset {DECLARED}")
    names = ", ".join(dict.fromkeys(device.name for device in devices))
    if source == "simulated":
        return ok("devices", f"no accelerator: {len(devices)} {names}, simulated hours only")
    return ok("devices", f"{len(devices)} × {names} ({source})")
