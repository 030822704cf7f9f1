"""The fold is asked to stop and keeps its checkpoint; what depends on all folds is skipped."""

from __future__ import annotations

import argparse

from orchestrator.cli.folds import FoldNotFound, job_of_fold
from orchestrator.cli.inbox import ask
from orchestrator.commands import StopJobs
from orchestrator.home import Home
from orchestrator.store import read_state
from skint.attempt import StopHow
from skint.errors import OK

EXAMPLES = (
    "skint submit plan.yaml --set train.lr=0.02 --set train.wait=60 --name other",
    "skint abort other --fold 0",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--fold", type=int, required=True, help="number of the fold, from 0")
    parser.add_argument("--job", help="plan entry, where more than one is trained per fold")
    parser.add_argument("--kill", action="store_true", help="do not wait for a checkpoint")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    target = _job_of_fold(home, arguments.name, arguments.fold, arguments.job)
    home.start_scheduler()
    how: StopHow = "kill" if arguments.kill else "step"
    request = StopJobs(
        run=arguments.name, scope="attempt", target=target, how=how, reason="aborted"
    )
    print(ask(home, request))
    return OK


def _job_of_fold(home: Home, name: str, fold: int, entry: str | None) -> str:
    run = read_state(home.store).runs.get(name)
    if run is None:
        raise FoldNotFound(f"there is no run {name}", next="skint status")
    return job_of_fold(run, fold, entry, "--job")
