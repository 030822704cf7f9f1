"""Which processes of this machine belong to an attempt, and ending them."""

from __future__ import annotations

from pathlib import Path

import psutil

from skint import process

KILL_ROUNDS = 5


def living_shims(folder: Path) -> tuple[int, ...]:
    """Shims that were started for this attempt directory, also if it is there no more."""
    found = []
    for one in psutil.process_iter(["cmdline", "status"]):
        command = one.info["cmdline"] or []
        if len(command) < 3 or one.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        program, last = command[-2:]
        is_shim = program == "skint.shim" or Path(program).name == "shim.py"
        if is_shim and Path(last).resolve() == folder.resolve():
            found.append(one.pid)
    return tuple(found)


def living(attempt: str, folder: Path) -> tuple[int, ...]:
    """Shims of an attempt, and whatever names it and its directory in its environment."""
    return (*living_shims(folder), *process.survivors(attempt, folder))


def none_left(attempt: str, folder: Path) -> bool:
    """Kill what an attempt left running; whether all of it is gone."""
    for _ in range(KILL_ROUNDS):  # what is being killed may still fork
        found = living(attempt, folder)
        if not found:
            return True
        if process.kill_all(found):
            return False
    return False
