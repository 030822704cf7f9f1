"""What words need of the world beside the state: variables that are secret, and tails of logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TAIL_BYTES = 4_096
TAIL_LINES = 25


@dataclass(frozen=True)
class Outside:
    """Given by the shell; by itself it knows nothing, as in a simulation."""

    environ: Mapping[str, str] = field(default_factory=dict)
    log_tail: Callable[[str], str] = lambda path: ""
    """The last lines of a log file."""


def log_tail(path: str) -> str:
    """At most `TAIL_LINES` whole lines of the last `TAIL_BYTES`; empty where there is no log here.

    Of a line that a progress bar has written over, what was last to be seen.
    """
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            content = file.read(TAIL_BYTES)
    except OSError:
        return ""
    lines = content.decode(errors="replace").split("\n")
    if size > TAIL_BYTES:
        del lines[0]  # begins somewhere in a line
    seen = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in lines]
    return "\n".join([line for line in seen if line][-TAIL_LINES:])
