"""Without --job: the newest job that printed something. -f follows until it ends."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from orchestrator.home import Home
from orchestrator.state import AttemptState, State
from orchestrator.store import read_state
from skint.errors import NOT_FOUND, OK, SkintError


class LogNotFound(SkintError):
    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--job", help="a job such as scan or train.fold0")
    parser.add_argument("--fold", type=int, help="a fold, from 0")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    attempt = _attempt(read_state(home.store), arguments)
    path, position = Path(attempt.folder) / "log.txt", 0
    while True:
        over = (Path(attempt.folder) / "exit.json").exists()
        position = _copy(path, position)
        if over or not arguments.follow:
            return OK
        time.sleep(0.2)


def _copy(path: Path, position: int) -> int:
    if not path.exists():
        return position
    with open(path, "rb") as file:
        file.seek(position)
        text = file.read()
    sys.stdout.write(text.decode(errors="replace"))
    sys.stdout.flush()
    return position + len(text)


def _attempt(state: State, arguments: argparse.Namespace) -> AttemptState:
    run = state.runs.get(arguments.name)
    if run is None:
        raise LogNotFound(f"there is no run {arguments.name}", next="skint status")
    found = [
        attempt
        for attempt in run.attempts.values()
        if arguments.job in (None, attempt.job, run.graph.job(attempt.job).group)
        and arguments.fold in (None, run.graph.job(attempt.job).fold)
    ]
    if not found:
        wanted = ", ".join(dict.fromkeys(a.job for a in run.attempts.values()))
        raise LogNotFound(
            f"no job of {run.name} that ran is meant by that", wanted=wanted or "none ran here"
        )
    return found[-1]
