"""Giving devices to an attempt that was started ahead, on this machine."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace

from orchestrator.executors.base import StandbyGone
from orchestrator.executors.local_records import identity_of
from skint import process
from skint.attempt import AttemptDir, Go, Task


def is_waiting(directory: AttemptDir, allocation: str) -> bool:
    """Whether the attempt there was started ahead and has not got the devices of `allocation`."""
    go = directory.read_go()
    if go is not None:
        return go.allocation != allocation
    try:
        return directory.read_task().standby_s is not None
    except (OSError, ValueError):  # nothing has been started there, or it was removed
        return False


def give_devices(directory: AttemptDir, allocation: str, task: Task) -> bool:
    """Give the attempt there what `task` says; False where it was not started ahead.

    Changes nothing the second time. Raises StandbyGone where it has ended, or ends now.
    """
    try:
        ahead = directory.read_task()
    except (OSError, ValueError):
        return False
    if ahead.standby_s is None:
        return False
    given = replace(
        ahead,
        devices=task.devices,
        limit_s=task.limit_s,
        grace_s=task.grace_s,
        standby_s=None,
    )
    try:
        go = directory.read_go()
        if go is None:
            go = directory.give(_go(directory, allocation, task, fits=is_same(given, task)))
    except (OSError, ValueError) as error:
        raise StandbyGone(f"{task.attempt} cannot be given its devices: {error}") from error
    if go.allocation != allocation:
        raise StandbyGone(f"what was started ahead for {task.attempt} is no more")
    return True


def _go(directory: AttemptDir, allocation: str, task: Task, *, fits: bool) -> Go:
    now_ms = time.time_ns() // 1_000_000
    try:
        identity = identity_of(directory)
    except OSError:
        identity = None
    if not fits or identity is None or not process.is_alive(identity):
        return Go("", now_ms)
    return Go(allocation, now_ms, task.devices, task.limit_s, task.grace_s)


def is_same(one: Task, other: Task) -> bool:
    """Whether they are one task, as far as a file can tell: it has no tuples."""
    one_text, other_text = (json.dumps(asdict(task), sort_keys=True) for task in (one, other))
    return one_text == other_text
