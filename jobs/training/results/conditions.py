"""Under which conditions a fold was trained: what `card` says beside the recipe."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from typing import Any

import torch

import skint
from jobs.training.data.fold import FoldData
from jobs.training.fitting.device import Engine
from skint.attempt import write_atomic, write_json
from skint.libraries import versions_of

TRAINING = "training.json"
PACKAGES = ("skint", "torch", "torchvision", "pytorch-lightning", "timm", "torchmetrics")


def write_conditions(
    ctx: skint.Context, data: FoldData, engine: Engine, remarks: Sequence[str]
) -> None:
    """`training.json`: versions, precision, counts and remarks; no machine and no time."""
    content = {
        "version": 1,
        "versions": versions(),
        "precision": engine.precision,
        "devices": engine.devices,
        "samples": {"train": len(data.train), "validation": len(data.validation)},
        "remarks": list(remarks),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomic(ctx.out / TRAINING, text.encode("utf-8", "backslashreplace"))


def write_machine(ctx: skint.Context, engine: Engine, seconds: float) -> None:
    """`local/timing.json`: how long the job took here, and on what."""
    facts: dict[str, Any] = {
        "seconds": seconds,
        "device": device_name(engine, ctx.devices),
        "python": platform.python_version(),
    }
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "timing.json", facts)


def versions() -> dict[str, str]:
    """Of the packages that a result depends on; one that is not installed is left out."""
    return {name: found for name, found in versions_of(PACKAGES).items() if found}


def device_name(engine: Engine, devices: tuple[str, ...]) -> str:
    """`2 × NVIDIA L4`, `CPU`, `CPU for simulated-0`."""
    if engine.accelerator == "gpu":
        name = torch.cuda.get_device_name()
        return name if engine.devices == 1 else f"{engine.devices} × {name}"
    if engine.accelerator == "tpu":
        return "TPU"
    return "CPU" + (f" for {', '.join(devices)}" if devices else "")
