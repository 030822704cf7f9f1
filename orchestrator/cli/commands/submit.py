"""The scheduler is started if none runs. Exit code 5: it does not fit in what is left."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from orchestrator.cli.planning.plan_arguments import add_plan_arguments, add_run_arguments
from orchestrator.cli.printing.output import add_json
from orchestrator.home import Home
from skint.errors import OK

if TYPE_CHECKING:
    from orchestrator.commands import SubmitRun

EXAMPLES = ("skint submit plan.yaml --set train.lr=0.03 --name third",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    with home.scheduler_ahead() as start:  # before what takes its time is imported
        from orchestrator.cli.inbox import ask
        from orchestrator.cli.planning.known import Known
        from orchestrator.cli.planning.queueing import queued

        def send(request: SubmitRun) -> tuple[str, int, str]:
            return request.run, start(), ask(home, request)

        found = queued(arguments, home, send)
    if isinstance(found, Known):
        if arguments.json:
            _print_json(None, None, found.run, found.said)
        else:
            print(found.said)
        return OK
    run, pid, said = found
    if arguments.json:
        _print_json(run, pid, None, said)
        return OK
    from orchestrator.cli.printing.screen import prose

    *lines, last = said.split("\n")
    for line in lines:
        print(prose(line))
    print(f"{last} · scheduler pid {pid}")
    print(f"follow with `skint top` or `skint status` · stop with `skint cancel {run}`")
    return OK


def _print_json(run: str | None, pid: int | None, known_run: str | None, said: str) -> None:
    from orchestrator.cli.printing.output import print_answer
    from orchestrator.shapes.submit import Submit

    print_answer(Submit(run, pid, known_run, said))
