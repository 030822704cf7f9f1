"""Measures what a recipe costs on its device before hours are spent on it.

Reads  the nearest packed set and `folds.csv`.
Writes `probe.json`, and of the learning-rate finder `lr_finder.csv` and `lr_finder.png`.

    probe: {uses: probe, needs: [folds], limit: 5m, with: {model: resnet18, precision: auto}}

It is an accelerator job like any other: charged, and known afterwards, so that the same question
on the same account is answered for nothing. What may run out of memory runs in a process of its
own. How fast the loader is needs no device and is measured before there is one.

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

import skint
from jobs.probe.params import Params
from jobs.train.job import ready_for_torch


@skint.job(
    devices=1,
    cpus=0,
    standby=True,
    measures=True,
    libraries=("torch", "torchvision", "timm"),
)
def probe(params: Params, ctx: skint.Context) -> None:
    ready_for_torch()
    from jobs.probe.probing import measure

    measure(params, ctx)
