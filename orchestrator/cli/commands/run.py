"""Ctrl-C stops the run and keeps its checkpoints; a second one leaves its jobs alone. If a
background scheduler runs, the plan is queued there and followed here. Exit code 6: the run failed
or was cancelled; 130: by Ctrl-C here."""

from __future__ import annotations

import argparse
import time

from budget.ledger import Ledger
from orchestrator.cli.commands import show
from orchestrator.cli.planning.plan_arguments import add_plan_arguments, add_run_arguments
from orchestrator.cli.planning.preparing import Known, prepare_request
from orchestrator.cli.printing import progress
from orchestrator.cli.running import until_over
from orchestrator.home import Home
from skint.errors import INTERRUPTED, OK, RUN_FAILED

EXAMPLES = ("skint run plan.yaml", "skint run plan.yaml --set train.lr=0.05 --name bold")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    request = prepare_request(arguments, home)
    if isinstance(request, Known):
        return OK
    says = progress.Lines(request.run)
    state, interrupted = until_over(home, request, progress.shown, says.tell)
    ended = state.runs[request.run]
    with Ledger(home.ledger, read_only=True) as ledger:
        print()
        print(show.render(ended, state, ledger, time.time_ns() // 1_000_000))
    for path in progress.reports(ended):
        print(f"report  {path}")
    if interrupted:
        return INTERRUPTED
    return OK if ended.outcome == "done" else RUN_FAILED
