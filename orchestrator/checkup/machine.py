"""What is looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.home import Home
from orchestrator.settings import Settings


@dataclass(frozen=True)
class Machine:
    home: Home
    environ: Mapping[str, str]
    online: bool = False
    """Whether other machines may be asked."""
    root: Path = Path("/")
    """Where /proc, /sys and /dev are; a test has its own."""
    cores: int = field(default_factory=lambda: cores_of_this_process())
    """That this process may run on."""
    settings: Settings = field(default_factory=Settings)


def cores_of_this_process() -> int:
    if hasattr(os, "sched_getaffinity"):  # macOS has no such thing
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
