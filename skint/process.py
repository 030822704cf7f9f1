"""Which process is which, and ending all of them.

A pid alone is no identity: it is given out again. A pid together with its start time and the boot
of the machine is. Linux reads /proc; elsewhere `ps` is asked, and `survivors` finds nothing.
Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LINUX = sys.platform == "linux"
PROC = Path("/proc")
ENVIRONMENT_KEY = "SKINT_ATTEMPT"
"""Environment variable of every process of an attempt, with the attempt's name."""
DIRECTORY_KEY = "SKINT_ATTEMPT_DIR"
"""The same with the attempt's directory."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    start_ticks: str
    """Start time as the system tells it: clock ticks since boot on Linux."""
    boot_id: str
    """The boot of this machine; another boot means that the process is gone."""


def identity(pid: int) -> Identity | None:
    """The identity of a live process; None when there is none, zombies included."""
    entry = _entry(pid)
    return None if entry is None else Identity(pid, entry[1], boot_id())


def is_alive(process: Identity) -> bool:
    """Whether that very process still runs. A zombie does not."""
    return identity(process.pid) == process


@cache
def boot_id() -> str:
    """A text that changes with each boot; the same in all processes of a machine."""
    if LINUX:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    import subprocess  # not with the module: a shim on Linux does without it

    asked = subprocess.run(
        ["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False
    )
    return asked.stdout.partition("}")[0].strip()


def descendants(pid: int) -> tuple[int, ...]:
    """Live children, grandchildren, ... of a process, parents before children.

    A process whose parent died is found only below a subreaper.
    """
    children: dict[int, list[int]] = {}
    for child, (parent, _) in _table().items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return tuple(found)


def survivors(attempt: str, directory: Path | None = None) -> tuple[int, ...]:
    """Live processes whose environment names that attempt, e.g. after its shim was killed.

    `directory` tells it from one of the same name under another SKINT_HOME. Only
    processes of the same user can be seen, and one that cleared its environment cannot.
    """
    if not LINUX:
        return ()
    wanted = {os.fsencode(f"{ENVIRONMENT_KEY}={attempt}")}
    if directory is not None:
        wanted.add(os.fsencode(f"{DIRECTORY_KEY}={directory.resolve()}"))
    found = []
    for pid in _table():
        try:
            environment = (PROC / str(pid) / "environ").read_bytes()
        except OSError:  # it has just ended, or is another user's
            continue
        if wanted <= set(environment.split(b"\0")) and pid != os.getpid():
            found.append(pid)
    return tuple(found)


def kill_all(pids: Iterable[int], wait_s: float = 5.0) -> tuple[int, ...]:
    """SIGKILL them and wait until they are gone; returns those still there after `wait_s`."""
    living = [one for pid in pids if (one := identity(pid)) is not None]
    for process in living:
        if is_alive(process):
            send(process.pid, signal.SIGKILL)
    end = time.monotonic() + wait_s
    while (living := [process for process in living if is_alive(process)]) and (
        time.monotonic() < end
    ):
        time.sleep(0.01)
    return tuple(process.pid for process in living)


def send(pid: int, number: int) -> bool:
    """Send a signal; False when the process is gone or not ours to signal."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def in_group(pid: int, group: int) -> bool:
    """Whether a process is there and belongs to that process group."""
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def send_group(group: int, number: int) -> None:
    """Send a signal to all of a process group, where it is there still."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def adopt_orphans() -> bool:
    """Make this process the parent of its orphaned descendants; False where that is unknown."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> bool:
    """Have the kernel kill this process when its parent thread ends; False where unknown."""
    return _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    if not LINUX:
        return False
    if _libc().prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
    return True


@cache
def _libc() -> ctypes.CDLL:
    """Once: it is called between a fork and an exec, where each new page of memory costs."""
    return ctypes.CDLL(None, use_errno=True)


def _table() -> dict[int, tuple[int, str]]:
    """(parent, start time) of each live process by pid."""
    if not LINUX:
        return _ps("-ax")
    pids = (int(entry.name) for entry in os.scandir(PROC) if entry.name.isdigit())
    return {pid: entry for pid in pids if (entry := _entry(pid)) is not None}


def _entry(pid: int) -> tuple[int, str] | None:
    if not LINUX:
        return _ps("-p", str(pid)).get(pid)
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the command in parentheses, which may hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    state, parent, start_ticks = fields[0], int(fields[1]), fields[19]
    return None if state in "ZX" else (parent, start_ticks)


def _ps(*which: str) -> dict[int, tuple[int, str]]:
    import subprocess  # as above

    command = ["ps", *which, "-o", "pid=,ppid=,stat=,lstart="]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = (line.split(None, 3) for line in asked.stdout.splitlines())
    return {
        int(pid): (int(parent), start.strip())
        for pid, parent, state, start in rows
        if not state.startswith("Z")
    }
