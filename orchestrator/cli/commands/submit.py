"""The scheduler is started if none runs. Exit code 5: it does not fit in what is left."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.cli.planning.plan_arguments import add_plan_arguments, add_run_arguments
from orchestrator.cli.printing.output import add_json
from orchestrator.home import Home
from skint.errors import OK

if TYPE_CHECKING:
    from orchestrator.commands import SubmitRun

TRIES = 5
"""That many others may take the next number in the same moment."""
EXAMPLES = ("skint submit plan.yaml --set train.lr=0.03 --name third",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    with home.scheduler_ahead() as start:  # before what takes its time is imported
        from orchestrator.cli.planning.queueing import request_to_judge

        request = request_to_judge(arguments, home)
        pid = start()
    queued = _queued(arguments, home, request)
    if queued is None:
        return OK
    run, *lines, reply = queued
    if arguments.json:
        _print_json(run, pid, [*lines, reply])
        return OK
    from orchestrator.cli.printing.screen import prose

    for line in lines:
        print(prose(line))
    print(f"{reply} · scheduler pid {pid}")
    print(f"follow with `skint top` or `skint status` · stop with `skint cancel {run}`")
    return OK


def _queued(arguments: argparse.Namespace, home: Home, request: SubmitRun) -> list[str] | None:
    """The run, what to know of it, and the reply. None where nothing was queued since all of it is
    known, which was said then. Raises what is against it, with figures and ways out."""
    from orchestrator.cli.inbox import Refused, ask

    tries = 0
    while True:
        try:
            return [request.run, *ask(home, request).split("\n")]
        except Refused:
            tries += 1
            # All is read that it takes to say why.
            from orchestrator.cli.planning.preparing import Known, prepare_request

            said: list[str] = []  # what is queued after all is told of by the scheduler
            found = prepare_request(arguments, home, said.append)
            if isinstance(found, Known):
                if arguments.json:
                    _print_json(None, None, said, found.run)
                else:
                    print("\n".join(said))
                return None
            # Nothing is: another terminal has taken the name, or only the scheduler sees it.
            if tries == TRIES or found.run == request.run:
                raise
            request = replace(request, run=found.run)


def _print_json(
    run: str | None, pid: int | None, said: list[str], known_run: str | None = None
) -> None:
    from orchestrator.cli.printing.output import print_answer
    from orchestrator.shapes.submit import Submit

    print_answer(Submit(run, pid, known_run, "\n".join(said)))
