"""Taking results off the disk, so that nobody who needs one loses it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.cache.entry import Entry, needed_by
from orchestrator.state.state import State
from skint.attempt import AttemptDir

ASIDE = "out.removed"
"""What an `out/` is called between the first look and the second; the next removal ends what was
interrupted."""
SECOND_LOOK_S = 1.0
"""A scheduler that has just decided to use a result has written that down after this time."""
ABANDONED_MS = 600_000


@dataclass
class Removed:
    gone: list[Entry] = field(default_factory=list)
    spared: list[Entry] = field(default_factory=list)
    """A run that goes on began to use them meanwhile."""
    failed: list[tuple[Entry, str]] = field(default_factory=list)


def size_of(out: str) -> int | None:
    """Bytes of all files under a folder; None where it is missing or empty."""
    found = None
    for folder, _, names in os.walk(out):
        for name in names:
            try:
                size_bytes = Path(folder, name).lstat().st_size
            except FileNotFoundError:
                continue
            found = (found or 0) + size_bytes
    return found


def remove(
    entries: Iterable[Entry], read_state: Callable[[], State], *, scheduler_runs: bool
) -> Removed:
    """Remove the files; records and logs of the attempts stay.

    Each folder is first put aside, then the state is looked at again: what a scheduler took in
    between is put back.
    """
    removed, aside = Removed(), []
    for entry in entries:
        try:
            Path(entry.out).rename(Path(entry.out).with_name(ASIDE))
        except OSError as error:
            removed.failed.append((entry, error.strerror or str(error)))
        else:
            aside.append(entry)
    if scheduler_runs and aside:
        time.sleep(SECOND_LOOK_S)
    needed = needed_by(read_state())
    for entry in aside:
        out = Path(entry.out)
        if entry.attempt in needed:
            out.with_name(ASIDE).rename(out)
            removed.spared.append(entry)
            continue
        try:
            shutil.rmtree(out.with_name(ASIDE))
            for note in (AttemptDir(out.parent).stamp, AttemptDir(out.parent).damage):
                note.unlink(missing_ok=True)
        except OSError as error:
            removed.failed.append((entry, error.strerror or str(error)))
        else:
            removed.gone.append(entry)
    return removed


def sweep(runs_dir: Path, now_ms: int) -> None:
    """End removals that were interrupted; one that is going on somewhere else is left alone."""
    for folder in runs_dir.glob(f"*/*/*/{ASIDE}"):
        if now_ms - folder.stat().st_ctime * 1000 > ABANDONED_MS:
            shutil.rmtree(folder, ignore_errors=True)
