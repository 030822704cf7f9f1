"""`submit` starts it by itself. Stopping it stops no job: they go on and are adopted again."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.home import Home
from skint.errors import OK, USAGE, SkintError

STOP_TIMEOUT_S = 10.0


class OnlyStatus(SkintError):
    """The other actions answer nothing that a program could read."""

    exit_code = USAGE


EXAMPLES = ("skint scheduler start", "skint scheduler status", "skint scheduler stop")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument(
        "--here", action="store_true", help="with start: in this terminal, until Ctrl-C"
    )
    add_json(parser)
    # For `skint submit`, which has it read its code while the plan is read (`orchestrator.home`).
    parser.add_argument("--when-told", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    if arguments.json:
        return _answer(home, arguments.action)
    if arguments.action == "start" and arguments.here:
        from orchestrator.serving import Leaving, scheduler_in

        if arguments.when_told and not sys.stdin.buffer.read(1):
            return OK  # there is nothing for it to do
        leaving = Leaving()
        with scheduler_in(home) as serving:
            serving.until_told(leaving)
        return OK
    if arguments.action == "start":
        print(f"scheduler runs, pid {home.start_scheduler()}")
        return OK
    pid = home.scheduler_pid()
    if pid is None:
        print("no scheduler runs; jobs that were started go on without one")
        return OK
    if arguments.action == "stop":
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while home.scheduler_pid() == pid and time.monotonic() < deadline:
            time.sleep(0.05)
        gone = home.scheduler_pid() != pid
        print(f"scheduler {pid} {'stopped' if gone else 'is still stopping'}; jobs go on")
        return OK
    print(f"scheduler runs, pid {pid} · log {home.log}")
    return OK


def _answer(home: Home, action: str) -> int:
    from orchestrator.shapes.scheduler import Scheduler

    if action != "status":
        raise OnlyStatus(
            "--json goes with `status` alone", got=action, next="skint scheduler status --json"
        )
    print_answer(Scheduler(home.scheduler_pid(), str(home.path), str(home.log)))
    return OK
