"""What the attempts of the contract suite run on this machine: `program.py KIND RUNS`.

It imports nothing of skint: any program must do. Each start is noted in the file RUNS.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

DIRECTORY = Path(os.environ["SKINT_ATTEMPT_DIR"])
ATTEMPT = os.environ["SKINT_ATTEMPT"]
OUT = DIRECTORY / "out"


def line(number: int) -> str:
    fence = json.loads((DIRECTORY / "task.json").read_text())["fence"]
    head = {"attempt": ATTEMPT, "fence": fence, "seq": number, "at": time.time_ns() // 10**6}
    return json.dumps({**head, "kind": "report", "values": {"epoch": number}}) + "\n"


def say(text: str) -> None:
    with (DIRECTORY / "events.jsonl").open("a") as events:
        events.write(text)


def short() -> int:
    """Three lines, the second one in two pieces, and a result."""
    say(line(1))
    second = line(2)
    say(second[:20])
    time.sleep(0.2)
    say(second[20:] + line(3))
    (OUT / "folder").mkdir()
    (OUT / "folder" / "result").write_text(ATTEMPT)
    return 0


def listener() -> int:
    """Works until it is asked to stop, and saves what it has."""

    def save(number: int, frame: object) -> None:
        (OUT / "saved").write_text("whole")
        sys.exit(75)

    signal.signal(signal.SIGTERM, save)
    (OUT / "ready").touch()
    while True:
        time.sleep(60)


def stubborn() -> int:
    """Ignores TERM, and so do its child and the daemon that the child leaves behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        (OUT / "daemon").write_text(f"{os.getpid()}\n")
    else:
        (OUT / "main").write_text(f"{os.getpid()}\n")
    while True:
        time.sleep(60)


def waiter() -> int:
    """Prepares, waits for its devices, and works as `short` does."""
    while not (DIRECTORY / "go.json").exists():
        time.sleep(0.01)
    return short()


def failing() -> int:
    return 3


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as runs:
        runs.write(f"{ATTEMPT}\n")
    sys.exit({f.__name__: f for f in (short, listener, stubborn, waiter, failing)}[sys.argv[1]]())
