"""The background scheduler: whether it runs, is needed, is of this version, and complains."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import orchestrator
from orchestrator.checkup.finding import Finding, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.home import Home
from orchestrator.store.store import read_recent

STOP_TIMEOUT_S = 10.0
LOG_BYTES = 64_000
"""Of the end of its log."""
COMPLAINTS = (" ERROR ", " CRITICAL ", "Traceback (most recent call last)")


def look(machine: Machine) -> Iterator[Finding]:
    home = machine.home
    pid = home.scheduler_pid()
    live = [run.name for run in read_recent(home.store, 0).live_runs()]
    if pid is None:
        yield _needed(home, live)
    else:
        root = Path(orchestrator.__file__).parent.parent
        yield of_this_version(home, pid, newest_code_s(root))
        yield from _environment(machine, pid)
    yield from complaints(home.log, time.time() - 86_400)


def _needed(home: Home, live: list[str]) -> Finding:
    if not live:
        return ok("scheduler", "none runs, and none is needed; submit starts one")
    return warn(
        "scheduler",
        f"none runs, and {', '.join(live[:3])} is not over",
        "skint scheduler start",
        lambda: f"a scheduler runs, pid {home.start_scheduler()}",
    )


def of_this_version(home: Home, pid: int, newest_s: float) -> Finding:
    """Whether it was started after skint's code was changed last, at `newest_s`."""
    import psutil

    try:
        process = psutil.Process(pid)
        began_s, ours = process.create_time(), process.uids().real == os.getuid()
    except psutil.Error:  # it has ended meanwhile, or is another user's
        return ok("scheduler", f"runs, pid {pid}")
    since = f"{datetime.fromtimestamp(began_s).astimezone():%a %H:%M:%S}"
    if newest_s <= began_s:
        return ok("scheduler", f"runs since {since}, pid {pid}")

    def repair() -> str:
        with suppress(ProcessLookupError):  # it has left by itself
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while home.scheduler_pid() == pid and time.monotonic() < deadline:
            time.sleep(0.05)
        new = home.start_scheduler()
        if new == pid:
            return f"{pid} was told to leave and has not yet; then: skint scheduler start"
        return f"another one runs, pid {new}; jobs went on meanwhile"

    return warn(
        "scheduler",
        f"runs since {since} (pid {pid}), and skint has been changed since then",
        "skint scheduler stop && skint scheduler start   (jobs go on)",
        repair if ours else None,
    )


def newest_code_s(root: Path) -> float:
    """When a file of skint's code was changed last."""
    rooms = ("skint", "budget", "jobs", "notifiers", "orchestrator")
    files = (file for room in rooms for file in (root / room).rglob("*.py"))
    return max((file.stat().st_mtime for file in files), default=0.0)


def _environment(machine: Machine, pid: int) -> Iterator[Finding]:
    """Tokens that this shell has and the scheduler was started without."""
    import psutil

    try:
        theirs = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return
    names = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_WEBHOOK_URL", "SKINT_WEBHOOK_SECRET")
    other = [name for name in names if machine.environ.get(name) != theirs.get(name)]
    if other:
        yield warn(
            "scheduler",
            f"{', '.join(other)} is not what it was started with",
            "skint scheduler stop && skint scheduler start   (jobs go on)",
        )


def complaints(log: Path, since_s: float) -> Iterator[Finding]:
    """What its log complains of, if it was written to since then."""
    if not log.exists() or log.stat().st_mtime < since_s:
        return
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    found = [line for line in lines if any(word in line for word in COMPLAINTS)]
    if found:
        last = found[-1][:120]
        yield warn(
            "scheduler", f"its log complains {len(found)} times, last: {last}", f"less {log}"
        )
