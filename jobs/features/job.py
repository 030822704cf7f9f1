"""Runs a pretrained network without its last layer over a packed set, once.

Reads  the nearest packed set.
Writes a packed set of numbers in place of pictures, (N, 1, 1, D), with the same samples and
       targets; `features.json`.

A `train` with `model: linear` or `mlp` and `devices: 0` learns from it in the CPU lane, as often
as one likes, and is charged nothing.

This file imports neither torch nor NumPy, so that a plan can be checked without them.
"""

from __future__ import annotations

import skint
from jobs.features.params import Params
from jobs.train.job import ready_for_torch


@skint.job(
    devices=1,
    cpus=0,
    smoke=True,
    resume=True,
    standby=True,
    libraries=("torch", "torchvision", "timm"),
)
def features(params: Params, ctx: skint.Context) -> None:
    """Compute them; with `ctx.smoke`, of a handful of pictures on the CPU."""
    ready_for_torch()
    from jobs.features.computing import compute, rehearse

    if ctx.smoke:
        rehearse(params, ctx)
    else:
        compute(params, ctx)
