"""The device that is checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from orchestrator.devices import DECLARED, MASK, find_devices
from skint.context import usable_cores


@dataclass(frozen=True)
class Given:
    """What the checks run on, and how much work is right for it."""

    kind: str
    """`cuda` (ROCm too) or `cpu`."""
    uuids: tuple[str, ...]
    """As an attempt is given them; those of the CPU are simulated."""
    declared: str
    """`SKINT_DEVICES` for the commands of skint."""
    preset: str
    """Of an account that may be charged for it."""
    size_px: int
    """Of pictures that are meant to be of a usual size."""
    batch: int
    steps: int
    """That are timed."""
    epochs: int
    cpus: int
    """Cores for the loader."""

    @property
    def is_real(self) -> bool:
        return self.kind == "cuda"

    @property
    def by_uuid(self) -> bool:
        """Whether NVML lists them, so that each has a name that torch knows too."""
        return self.uuids[0].startswith("GPU-")

    @property
    def only_one(self) -> Mapping[str, str]:
        """Environment in which the commands of skint have the first of them alone."""
        if self.by_uuid:
            return {MASK: self.uuids[0]}
        return {DECLARED: self.declared.partition(",")[0] if self.is_real else "simulated"}

    @property
    def one(self) -> tuple[str, ...]:
        """The first of them alone."""
        return self.uuids[:1]


def cuda() -> Given:
    """Every device that torch sees, the one that it takes by itself first."""
    unasked = {name: value for name, value in os.environ.items() if name != DECLARED}
    source, seen = find_devices(unasked)
    count = torch.cuda.device_count()
    if source == "nvml":
        own = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
        uuids = sorted((device.uuid for device in seen), key=lambda uuid: uuid != own)
        declared = ""  # skint finds them
    else:  # ROCm has no NVML, nor have some containers: devices by number
        uuids = [str(number) for number in range(count)]
        names = [torch.cuda.get_device_name(number) for number in range(count)]
        declared = ",".join(f"{uuid}:{name}" for uuid, name in zip(uuids, names, strict=True))
    return Given("cuda", tuple(uuids), declared, "lab-server", 224, 64, 30, 20, usable_cores())


def cpu() -> Given:
    """Two simulated ones, and hardly any work: it is the checks that are checked."""
    uuids = ("simulated-0", "simulated-1")
    return Given("cpu", uuids, "simulated:2", "simulated", 32, 8, 2, 2, 1)


GIVEN: Mapping[str, Callable[[], Given]] = MappingProxyType({"cuda": cuda, "cpu": cpu})
"""By the value of `--device`."""
