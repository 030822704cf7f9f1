"""Ctrl-C stops the run and keeps its checkpoints; a second one leaves its jobs alone. If a
background scheduler runs, the plan is queued there and followed here. Exit code 6: the run failed
or was cancelled; 130: by Ctrl-C here."""

from __future__ import annotations

import argparse
import time

from budget.ledger import Ledger
from orchestrator.cli.commands import show
from orchestrator.cli.planning.known import Known
from orchestrator.cli.planning.plan_arguments import add_plan_arguments, add_run_arguments
from orchestrator.cli.planning.queueing import queued
from orchestrator.cli.printing import progress
from orchestrator.cli.printing.screen import prose
from orchestrator.cli.running import until_over
from orchestrator.commands import SubmitRun
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from skint.errors import INTERRUPTED, OK, RUN_FAILED

EXAMPLES = ("skint run plan.yaml", "skint run plan.yaml --set train.lr=0.05 --name bold")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()

    def send(request: SubmitRun) -> tuple[RunState, State, bool]:
        says = progress.Lines(request.run)
        state, interrupted = until_over(home, request, progress.shown, says.tell, _say)
        return state.runs[request.run], state, interrupted

    found = queued(arguments, home, send)
    if isinstance(found, Known):
        print(found.said)
        return OK
    ended, state, interrupted = found
    with Ledger(home.ledger, read_only=True) as ledger:
        print()
        print(show.render(ended, state, ledger, time.time_ns() // 1_000_000))
    for path in progress.reports(ended):
        print(f"report  {path}")
    if interrupted:
        return INTERRUPTED
    return OK if ended.outcome == "done" else RUN_FAILED


def _say(reply: str) -> None:
    for line in reply.split("\n"):
        print(prose(line))
