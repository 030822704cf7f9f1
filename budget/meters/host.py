"""Processor seconds and memory of the processes of an attempt, through psutil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from budget.meters.base import HostReading

if TYPE_CHECKING:
    import psutil

MIB = 1 << 20


def read_trees(roots: Sequence[int]) -> Mapping[int, HostReading]:
    """A reading of each process and its descendants; None in it where the process is gone.

    The table of processes is walked once for all. What a child used is its own while it lives and
    its parent's once it has ended, so that nothing is counted twice.
    """
    if not roots:
        return {}
    import psutil

    processes: dict[int, psutil.Process] = {}
    children: dict[int, list[int]] = {}
    for one in psutil.process_iter():
        try:
            children.setdefault(one.ppid(), []).append(one.pid)
        except psutil.Error:  # it has just ended
            continue
        processes[one.pid] = one
    return {root: _read(root, processes, children) for root in roots}


def _read(
    root: int, processes: Mapping[int, psutil.Process], children: Mapping[int, Sequence[int]]
) -> HostReading:
    import psutil

    cpu_s, ram_bytes, found = 0.0, 0, False
    queue = [root]
    while queue:
        pid = queue.pop()
        queue += children.get(pid, ())
        if pid not in processes:
            continue
        try:
            with processes[pid].oneshot():
                times = processes[pid].cpu_times()
                resident = processes[pid].memory_info().rss
        except psutil.Error:  # it has just ended, or it is another user's
            continue
        found = True
        ended_s = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        cpu_s += times.user + times.system + ended_s
        ram_bytes += resident
    return HostReading(cpu_s, ram_bytes / MIB) if found else HostReading()
