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
        from orchestrator.cli.inbox import Refused, ask
        from orchestrator.cli.queueing import request_to_judge

        request = request_to_judge(arguments, home)
        pid = start()
    try:
        *lines, queued = ask(home, request).split("\n")
    except Refused:
        if not _is_known(arguments, home):
            raise
        return OK
    if arguments.json:
        _print_json(request.run, pid, [*lines, queued])
        return OK
    from orchestrator.cli.screen import prose

    for line in lines:
        print(prose(line))
    print(f"{queued} · scheduler pid {pid}")
    print(f"follow with `skint top` or `skint status` · stop with `skint cancel {request.run}`")
    return OK


def _is_known(arguments: argparse.Namespace, home: Home) -> bool:
    """Whether it was refused since all of it is known, which is said then.

    All is read that it takes to say so. Raises what is against the plan, with figures and ways out;
    False where that is something that only the scheduler sees.
    """
    from orchestrator.cli.preparing import Known, prepare_request

    said: list[str] = []
    found = prepare_request(arguments, home, said.append if arguments.json else print)
    if not isinstance(found, Known):
        return False
    if arguments.json:
        _print_json(None, None, said, found.run)
    return True


def _print_json(
    run: str | None, pid: int | None, said: list[str], known_run: str | None = None
) -> None:
    from orchestrator.cli.output import print_answer
    from orchestrator.shapes.submit import Submit

    print_answer(Submit(run, pid, known_run, "\n".join(said)))
