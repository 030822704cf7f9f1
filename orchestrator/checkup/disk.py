"""The disk of SKINT_HOME: whether it is there, ours, has room, and keeps locks."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from budget.ledger.network_disk import Disk, disk_at
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.home import VARIABLE

GB = 10**9
LEAST_GB, FEW_GB = 1, 10
LEAST_FILES = 10_000
MOST_COUNTED = 200_000
"""Files whose sizes are added up: a second or so."""


def look(machine: Machine) -> Iterator[Finding]:
    home = machine.home.path
    named = VARIABLE if machine.environ.get(VARIABLE) else "the usual place"
    yield from _home(home, named)
    there = next(path for path in (home, *home.parents) if path.is_dir())
    yield kind_of(there, disk_at(there))
    facts = os.statvfs(there)
    yield room(
        "room", there, shutil.disk_usage(there).free, facts.f_favail if facts.f_files else None
    )
    yield from _results(machine.home.runs)
    scratch = Path(tempfile.gettempdir())
    if scratch.stat().st_dev != there.stat().st_dev:
        yield room("room", scratch, shutil.disk_usage(scratch).free, None)


def _home(home: Path, named: str) -> Iterator[Finding]:
    if not home.exists():
        above = next(path for path in home.parents if path.exists())
        if not os.access(above, os.W_OK):
            yield bad("home", f"{home} ({named}) is not there, and cannot be made",
                      f"export {VARIABLE}=/a/folder/of/yours")  # fmt: skip
        else:
            yield ok("home", f"{home} ({named}) will be made by the first command that writes")
        return
    if not home.is_dir():
        yield bad("home", f"{home} ({named}) is a file", f"export {VARIABLE}=/a/folder/of/yours")
        return
    if not os.access(home, os.W_OK | os.X_OK):
        yield bad("home", f"{home} ({named}) may not be written", f"ls -ld {home}")
        return
    mode = home.stat().st_mode
    if mode & stat.S_IWOTH:

        def repair() -> str:
            home.chmod(stat.S_IMODE(mode) & ~stat.S_IWOTH)
            return f"only you, and your group as before, may write to {home}"

        yield warn("home", f"everybody may write to {home}", f"chmod o-w {home}", repair)
        return
    yield ok("home", f"{home} ({named})")


def kind_of(folder: Path, disk: Disk) -> Finding:
    local = f"export {VARIABLE}=/a/local/disk"
    if disk.fault:
        return bad("file system", f"{disk.file_system}: {disk.fault}", local)
    if disk.network:
        return warn(
            "file system",
            f"{folder} is on a network disk ({disk.file_system}): locks work, and it is slower",
            local,
        )
    return ok("file system", f"{disk.file_system or 'not known'}, local")


def room(check: str, folder: Path, free: int, files: int | None) -> Finding:
    words = f"{free / GB:.1f} GB free for {folder}"
    if free < LEAST_GB * GB:
        return bad(check, words, "skint cache prune --unused")
    if files is not None and files < LEAST_FILES:
        return bad(check, f"{words}, and {files:,} more files (inodes)", "df -i")
    if free < FEW_GB * GB:
        return warn(check, words, "skint cache prune --unused")
    return ok(check, words)


def _results(runs: Path) -> Iterator[Finding]:
    if not runs.is_dir():
        return
    files = list(islice(_files(runs), MOST_COUNTED))
    more = " and more" if len(files) == MOST_COUNTED else ""
    yield ok("results", f"{sum(files) / GB:.1f} GB in {len(files):,} files{more}; skint cache ls")


def _files(folder: Path) -> Iterator[int]:
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(Path(place, name)).st_size
            except OSError:  # gone meanwhile
                continue
