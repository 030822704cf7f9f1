"""The accelerators of this machine: what NVML sees, else what is declared, else a simulated one.

Every screen says which: a simulated device may only be charged to a simulated account.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from budget.meters.nvml import opened
from orchestrator.executors.base import Device

DECLARED = "SKINT_DEVICES"
"""`UUID[:NAME],…` for machines whose devices NVML cannot see; `none` for no device at all;
`simulated` to practise on a machine that has some, `simulated:2` with two."""

MASK = "CUDA_VISIBLE_DEVICES"
"""Set by a person, it says which devices are skint's to give; NVML does not heed it."""

Source = Literal["nvml", "declared", "simulated"]

SIMULATED = Device("simulated-0", "simulated device (training runs on the CPU)", simulated=True)
_PRACTICE = re.compile(r"simulated(?::([1-9]\d?))?")


def find_devices(environ: Mapping[str, str] = os.environ) -> tuple[Source, tuple[Device, ...]]:
    """The devices here and where the knowledge comes from."""
    declared = environ.get(DECLARED, "")
    if declared == "none":
        return "declared", ()
    practice = _PRACTICE.fullmatch(declared)
    seen = () if practice else _nvml_devices()
    if seen:
        return "nvml", _not_masked(seen, environ.get(MASK))
    if declared and not practice:
        return "declared", tuple(_declared(part) for part in declared.split(",") if part.strip())
    count = int((practice and practice[1]) or 1)
    return "simulated", tuple(replace(SIMULATED, uuid=f"simulated-{n}") for n in range(count))


def _not_masked(seen: tuple[Device, ...], mask: str | None) -> tuple[Device, ...]:
    """The devices a person left visible: indices or (beginnings of) UUIDs, as CUDA reads them."""
    if not mask:
        return seen
    wanted = [part.strip() for part in mask.split(",")]
    return tuple(
        device
        for index, device in enumerate(seen)
        if str(index) in wanted or any(device.uuid.startswith(w) for w in wanted if len(w) > 4)
    )


def _declared(part: str) -> Device:
    uuid, _, name = part.strip().partition(":")
    return Device(uuid, name or "declared device")


def _nvml_devices() -> tuple[Device, ...]:
    """What NVML lists; nothing where the driver or its library is missing."""
    with opened() as nvml:
        if nvml is None:
            return ()
        found = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            memory_mib = int(nvml.nvmlDeviceGetMemoryInfo(handle).total) >> 20
            uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
            found.append(Device(str(uuid), str(name), memory_mib))
        return tuple(found)
