"""Keeps the environment of a shell for a program that was started with `skint exec --detach`.

    python -P -m orchestrator.programs.keeper RUN

The environment stands in this process and in no file. It ends with the run.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence

from orchestrator.home import VARIABLE, Home
from orchestrator.store.store import read_run
from skint.errors import SkintError
from skint.process import Identity, identity

LOOK_S = 2.0
PATIENCE_S = 120.0
"""So long the run may be unknown: whoever started this may have been killed before it asked. And so
long its store may be unreadable, on a full disk say: its environment cannot be had again."""


def start_keeper(home: Home, run: str) -> Identity:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator.programs.keeper", run],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, VARIABLE: str(home.path)},
        start_new_session=True,
    )
    found = identity(child.pid)
    assert found is not None, "it has only just been started"
    return found


def main(arguments: Sequence[str]) -> int:
    name, home = arguments[0], Home.find()
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            run = read_run(home.store, name).runs.get(name)
        except (SkintError, sqlite3.Error):  # nobody hears this process; it looks again
            run = None
        if run.settled if run is not None else time.monotonic() > deadline:
            return 0
        if run is not None:
            deadline = time.monotonic() + PATIENCE_S
        time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
