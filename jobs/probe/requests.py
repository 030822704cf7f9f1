"""What is asked of the process that may run out of memory, and what it answers. JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """One measurement."""

    look: str
    """`prepare`, `steps` or `lr`."""
    devices: tuple[str, ...]
    recipe: dict[str, Any]
    batch: int
    size_px: int | None = None
    steps: int = 10

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def read(cls, line: str) -> Request:
        given = json.loads(line)
        return cls(**{**given, "devices": tuple(given["devices"])})


@dataclass(frozen=True)
class Steps:
    """Training steps with one batch."""

    batch: int
    size_px: int
    step_ms: float
    """Median."""
    validation_ms: float
    """Of a forward pass without gradients, median."""
    memory_mib: float
    """On a device the most that was kept, on a CPU what the process has at the end."""
    memory_of_mib: float
    """What there is of it."""
    parameters: int
    gflops: float
    """Floating-point operations of one picture forward, in thousand millions, as torch counts."""

    @property
    def rate(self) -> float:
        """Pictures a second in training."""
        return 1000 * self.batch / self.step_ms
