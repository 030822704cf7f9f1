"""Undo a stop: what `cancel`, `abort` or a stop rule has ended goes on from its checkpoint, to the
bit. Refused where nothing was stopped, or where the checkpoint is gone."""

from __future__ import annotations

import argparse

from orchestrator.cli.folds import FoldNotFound, job_of_fold
from orchestrator.cli.inbox import ask
from orchestrator.commands import ResumeJobs
from orchestrator.home import Home
from orchestrator.store import read_state
from orchestrator.verdict import StopScope
from skint.errors import OK

EXAMPLES = ("skint resume other --fold 0", "skint cancel other --kill")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--fold", type=int, help="only this fold, from 0")
    parser.add_argument("--group", help="only this plan entry, or one combination of its matrix")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    scope, target = _meant(home, arguments.name, arguments.fold, arguments.group)
    home.start_scheduler()
    print(ask(home, ResumeJobs(run=arguments.name, scope=scope, target=target)))
    return OK


def _meant(home: Home, name: str, fold: int | None, group: str | None) -> tuple[StopScope, str]:
    known = read_state(home.store).runs.get(name)
    if known is None:
        raise FoldNotFound(f"there is no run {name}", next="skint status")
    if fold is not None:
        return "attempt", job_of_fold(known, fold, group, "--group")
    if group is None:
        return "run", name
    groups = dict.fromkeys([*known.graph.groups(), *known.graph.cells()])
    if group not in groups:
        raise FoldNotFound(f"{name} has no such group", got=group, wanted=", ".join(groups))
    return "group", group
