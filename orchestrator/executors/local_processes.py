"""Which processes of this machine belong to an attempt, and ending them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from skint import process

KILL_ROUNDS = 5


def living_shims(folder: Path) -> tuple[int, ...]:
    """Shims that were started for this attempt directory, also if it is there no more."""
    wanted = folder.resolve()
    found = []
    for pid, command in _commands():
        if len(command) < 3:
            continue
        program, last = command[-2:]
        is_shim = program == "skint.shim" or Path(program).name == "shim.py"
        if is_shim and Path(last).resolve() == wanted:
            found.append(pid)
    return tuple(found)


def _commands() -> Iterator[tuple[int, list[str]]]:
    """The command lines of what is alive, without the zeros at the end that a new title leaves."""
    if not process.LINUX:
        for one in psutil.process_iter(["cmdline", "status"]):
            if one.info["status"] != psutil.STATUS_ZOMBIE:
                yield one.pid, one.info["cmdline"] or []
        return
    for entry in os.scandir(process.PROC):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            yield int(entry.name), os.fsdecode(text.rstrip(b"\0")).split("\0")


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
