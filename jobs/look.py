"""One look at a file: is it a usable picture, of what shape, with which bytes?

Runs in the processes of `scan`; imports nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.decode import Facts, examine
from jobs.unreadable import Unreadable


@dataclass(frozen=True)
class Look:
    """What was seen of a file; `facts` is None where it is no usable picture, for `reason`."""

    facts: Facts | None
    sha256: str = ""
    bytes: int = 0
    reason: str = ""


def look_at(root: str, paths: Sequence[str]) -> list[Look]:
    return [_look_at(Path(root) / path) for path in paths]


def lost(path: str) -> Look:
    """What is said of a file that killed the process that decoded it."""
    return Look(None, reason="crashes the decoder")


def _look_at(file: Path) -> Look:
    try:
        content = file.read_bytes()
        facts = examine(content)
    except Unreadable as error:
        return Look(None, reason=str(error))
    except OSError as error:
        return Look(None, reason=f"cannot be read ({error.strerror})")
    return Look(facts, hashlib.sha256(content).hexdigest(), len(content))
