"""A scheduler that is measured, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from orchestrator.home import Home

SKINT = (sys.executable, "-P", "-m", "orchestrator.cli")


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[Home, psutil.Process]]:
    """A background scheduler in a home of its own."""
    home = Home(folder / "home")
    environment = {**os.environ, "SKINT_HOME": str(home.path), "SKINT_DEVICES": "simulated"}
    home.path.mkdir(parents=True)
    with open(home.log, "wb") as log:
        command = [*SKINT, "scheduler", "start", "--here"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: home.scheduler_pid() == process.pid)
        until(lambda: home.store.exists() and psutil.Process(process.pid).children() != [])
        time.sleep(0.5)  # the nursery has come up
        yield home, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def until(condition: Callable[[], bool], poll_s: float = 0.005, timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            sys.exit("it did not come to that")
        time.sleep(poll_s)
