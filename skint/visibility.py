"""Which accelerators a process can see: what its environment has to say before a driver reads it.

Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

MASK = "CUDA_VISIBLE_DEVICES"
HIDDEN = {MASK: "", "HIP_VISIBLE_DEVICES": "-1", "ROCR_VISIBLE_DEVICES": "-1"}
"""No accelerator at all. ROCm may take an empty mask for none set, so there it is a bad index."""
SIMULATED = "simulated-"


def visibility(devices: Sequence[str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables that show exactly `devices` (UUIDs), and hide all where there are none."""
    if not devices or any(device.startswith(SIMULATED) for device in devices):
        return dict(HIDDEN)
    if inherited.get(MASK):
        # A mask that is already there is the engine's (Slurm, Ray): it knows better.
        return {}
    return {MASK: ",".join(devices)}


def show(devices: Sequence[str]) -> None:
    """Let this process, in which all were hidden, see those that it has been given."""
    for name in HIDDEN:
        os.environ.pop(name, None)
    os.environ.update(visibility(devices, os.environ))
