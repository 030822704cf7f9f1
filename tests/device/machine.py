"""What a record says of the machine."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from budget.meters.nvml import opened
from skint.context import usable_cores

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("torchvision", "pytorch-lightning", "torchmetrics", "timm", "numpy")
GIB = 1 << 30


def device_name(kind: str) -> str:
    return torch.cuda.get_device_name(0) if kind == "cuda" else "CPU"


def facts(kind: str) -> dict[str, str]:
    """About device, driver, packages, and which skint was checked."""
    found: dict[str, str] = {}
    if kind == "cuda":
        one = torch.cuda.get_device_properties(0)
        found["device"] = f"{torch.cuda.device_count()} × {one.name}"
        found["memory"] = f"{one.total_memory / GIB:.1f} GiB"
        found["compute capability"] = f"{one.major}.{one.minor}"
        found["driver"] = driver()
        found["CUDA"] = torch.version.cuda or f"ROCm {torch.version.hip}"
        found["cuDNN"] = str(torch.backends.cudnn.version())
    else:
        found["device"] = f"CPU, {usable_cores()} cores"
    found["skint"] = f"{version('skint')}, commit {commit()}"
    found["torch"] = torch.__version__  # with the build, e.g. +cu130
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found["Python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return found


def driver() -> str:
    """Its version by NVML."""
    with opened() as nvml:
        return "not known" if nvml is None else str(nvml.nvmlSystemGetDriverVersion())


def commit() -> str:
    """Of the sources that were checked, and whether they were changed since."""
    command = ["git", "describe", "--always", "--dirty=, changed since"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "not known"
