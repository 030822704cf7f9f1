"""The scheduler is started if none runs. Exit code 5: it does not fit in what is left."""

from __future__ import annotations

import argparse

from orchestrator.cli.output import add_json
from orchestrator.cli.plan_arguments import add_plan_arguments, add_run_arguments
from orchestrator.home import Home
from skint.errors import OK

EXAMPLES = ("skint submit plan.yaml --set train.lr=0.03 --name third",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    with home.scheduler_ahead() as start:  # before what takes its time is imported
        from orchestrator.cli.inbox import ask
        from orchestrator.cli.preparing import Known, prepare_request

        said: list[str] = []
        request = prepare_request(arguments, home, said.append if arguments.json else print)
        if isinstance(request, Known):
            if arguments.json:
                _print_json(None, None, said, request.run)
            return OK
        pid = start()
    reply = ask(home, request)
    if arguments.json:
        _print_json(request.run, pid, [*said, reply])
        return OK
    print(f"{reply} · scheduler pid {pid}")
    print(f"follow with `skint top` or `skint status` · stop with `skint cancel {request.run}`")
    return OK


def _print_json(
    run: str | None, pid: int | None, said: list[str], known_run: str | None = None
) -> None:
    from orchestrator.cli.output import print_answer
    from orchestrator.shapes.submit import Submit

    print_answer(Submit(run, pid, known_run, "\n".join(said)))
