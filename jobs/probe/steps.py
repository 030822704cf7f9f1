"""How long a training step takes, and how much memory."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict
from typing import Any

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

import skint
from jobs.probe.requests import Request, Steps
from jobs.probe.workload import Workload
from jobs.training.recipe.recipe import Recipe

WARM_UP = 3
"""Steps that set up kernels and buffers."""
MIB = 1 << 20


def time_steps(recipe: Recipe, request: Request, ctx: skint.Context) -> dict[str, Any]:
    """As `Steps`: `request.steps` training steps with one batch, and as many validation steps."""
    work = Workload.of(recipe, request, ctx)
    device = work.engine.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    [batch] = work.batches(recipe, request.batch, 1)
    runs = range(WARM_UP + request.steps)
    training = [_timed(work, lambda: work.step(batch, 0)) for _ in runs]
    work.module.eval()
    looking = [_timed(work, lambda: work.look(batch.images)) for _ in runs]
    kept, total = _memory(device)
    answer = Steps(
        batch=request.batch,
        size_px=int(batch.images.shape[-1]),
        step_ms=statistics.median(training[WARM_UP:]),
        validation_ms=statistics.median(looking[WARM_UP:]),
        memory_mib=kept,
        memory_of_mib=total,
        parameters=sum(p.numel() for p in work.module.network.parameters()),
        gflops=_gflops(work, batch.images[:1]),
    )
    return asdict(answer)


def _timed(work: Workload, run: Any) -> float:
    """Milliseconds, with what the device still does."""
    work.wait()
    begun = time.perf_counter()
    run()
    work.wait()
    return 1000 * (time.perf_counter() - begun)


def _memory(device: torch.device) -> tuple[float, float]:
    """(kept at most, there is), MiB."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        return torch.cuda.max_memory_reserved() / MIB, total / MIB
    return psutil.Process().memory_info().rss / MIB, psutil.virtual_memory().total / MIB


def _gflops(work: Workload, image: torch.Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        work.look(image)
    return float(counter.get_total_flops()) / 1e9
