"""Without --job: the newest job that printed something; with -f the newest, until it ends."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from orchestrator.cli.named import run_named
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.home import Home
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import State
from orchestrator.store.store import read_state
from skint.errors import NOT_FOUND, OK, USAGE, SkintError
from skint.log import kept


class LogNotFound(SkintError):
    exit_code = NOT_FOUND


class FollowedAsJson(SkintError):
    """A document has an end, and what is followed has none."""

    exit_code = USAGE


EXAMPLES = ("skint logs seedlings-1 --fold 0",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--job", help="a job such as scan or train.fold0")
    parser.add_argument("--fold", type=int, help="a fold, from 0")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    if arguments.json and arguments.follow:
        raise FollowedAsJson("--json is one document and cannot follow", next="without --follow")
    attempt = _attempt(read_state(home.store), arguments)
    path, position = Path(attempt.folder) / "log.txt", 0
    if arguments.json:
        _print_json(arguments.name, attempt, path)
        return OK
    if not arguments.manner.quiet:
        print(_whose(arguments.name, attempt), file=sys.stderr, flush=True)
    while True:
        over = (Path(attempt.folder) / "exit.json").exists()
        position = _copy(path, position)
        if over or not arguments.follow:
            return OK
        time.sleep(0.2)


def _printed(attempt: AttemptState) -> bool:
    path = Path(attempt.folder) / "log.txt"
    return path.exists() and path.stat().st_size > 0


def _whose(run: str, attempt: AttemptState) -> str:
    """Jobs report what they measure, and print nothing where nothing is wrong."""
    if not _printed(attempt):
        return f"{attempt.job} has printed nothing · what it measures: skint metrics {run}"
    return f"{attempt.job} has printed (for another job: skint logs {run} --job JOB):"


def _print_json(run: str, attempt: AttemptState, path: Path) -> None:
    from orchestrator.shapes.logs import Logs

    ended = (path.parent / "exit.json").exists()
    text = b"".join(read(path, 0)[1]).decode(errors="replace")
    print_answer(
        Logs(
            run=run,
            job=attempt.job,
            attempt=attempt.id,
            path=str(path),
            ended=ended,
            lines=tuple(text.splitlines()),
        )
    )


def _copy(path: Path, position: int) -> int:
    position, pieces = read(path, position)
    for piece in pieces:
        sys.stdout.write(piece.decode(errors="replace"))
    sys.stdout.flush()
    return position


def read(path: Path, position: int) -> tuple[int, list[bytes]]:
    """What a log has from a position on, and where it ends; a line for what was not kept."""
    pieces: list[bytes] = []
    if not path.exists():
        return position, pieces
    with open(path, "rb") as file:
        for begin, piece in kept(file.fileno(), position):
            if begin > position:
                pieces.append(b"\n... %d bytes were not kept ...\n" % (begin - position))
            pieces.append(piece)
            position = begin + len(piece)
    return position, pieces


def _attempt(state: State, arguments: argparse.Namespace) -> AttemptState:
    run = run_named(state, arguments.name)
    found = [
        attempt
        for attempt in run.attempts.values()
        if arguments.job in (None, attempt.job, run.graph.job(attempt.job).group)
        and arguments.fold in (None, run.graph.job(attempt.job).fold)
    ]
    if not found:
        ran = ", ".join(dict.fromkeys(a.job for a in run.attempts.values()))
        said = (("--job", arguments.job), ("--fold", arguments.fold))
        raise LogNotFound(
            f"no job of {run.name} that has run is meant by that",
            got=" ".join(f"{name} {value}" for name, value in said if value is not None),
            wanted=ran or "a run of which something has run",
            next=f"skint show {run.name}",
        )
    if arguments.follow:
        return found[-1]
    return next(filter(_printed, reversed(found)), found[-1])
