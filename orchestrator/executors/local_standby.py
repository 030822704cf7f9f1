"""Giving devices to an attempt that was started ahead, on this machine."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from orchestrator.executors.base import AttemptSight, StandbyGone
from orchestrator.executors.local_records import identity_of
from skint import process
from skint.attempt import EXIT_STOPPED, AttemptDir, Exit, Go, Task


def sight_of_waiting(directory: AttemptDir, allocation: str) -> AttemptSight | None:
    """What `allocation` is to see of an attempt that was started ahead and has not got its
    devices: nothing yet, or that it never ran. None where it has them, or was not started ahead."""
    go = directory.read_go()
    if go is not None and go.void:
        never = Exit(EXIT_STOPPED, "unused", go.at_ms, go.at_ms)
        return AttemptSight("ended", None, never)
    if go is not None:
        return AttemptSight("absent") if go.allocation != allocation else None
    return AttemptSight("absent") if _was_ahead(directory) else None


def give_up(directory: AttemptDir) -> None:
    """Keep an attempt that waits for devices from ever getting any; others stay as they are."""
    if directory.read_go() is None and _was_ahead(directory):
        directory.give(Go("", time.time_ns() // 1_000_000))


def _was_ahead(directory: AttemptDir) -> bool:
    try:
        return directory.read_task().standby_s is not None
    except (OSError, ValueError):  # nothing has been started there, or it was removed
        return False


def has_devices(directory: AttemptDir, allocation: str) -> bool:
    """Whether it was started ahead and has been given its devices by `allocation`."""
    try:
        go = directory.read_go()
    except (OSError, ValueError):
        return False
    return go is not None and go.allocation == allocation


def is_gone(directory: AttemptDir, task: Task) -> bool:
    """Whether it was started ahead and cannot be given what `task` says any more. Changes nothing;
    of one that nobody has started yet it says no."""
    try:
        ahead = directory.read_task()
    except (OSError, ValueError):
        return False
    if ahead.standby_s is None:
        return False
    try:
        go = directory.read_go()
    except (OSError, ValueError):
        return True
    given = ahead.given(task.devices, task.limit_s, task.grace_s)
    return go is not None or not is_same(given, task) or not _is_alive(directory)


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
    given = ahead.given(task.devices, task.limit_s, task.grace_s)
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
    if not fits or not _is_alive(directory):
        return Go("", now_ms)
    return Go(allocation, now_ms, task.devices, task.limit_s, task.grace_s)


def _is_alive(directory: AttemptDir) -> bool:
    try:
        identity = identity_of(directory)
    except OSError:
        return False
    return identity is not None and process.is_alive(identity)


def is_same(one: Task, other: Task) -> bool:
    """Whether they are one task, as far as a file can tell: it has no tuples."""
    one_text, other_text = (json.dumps(asdict(task), sort_keys=True) for task in (one, other))
    return one_text == other_text
