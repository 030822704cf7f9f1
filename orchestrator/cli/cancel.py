"""Jobs are asked to stop and write a checkpoint; after their grace they are killed. The time that
was reserved and not used is free again once the last process is gone."""

from __future__ import annotations

import argparse

from orchestrator.cli.inbox import ask
from orchestrator.cli.named import RunNotFound
from orchestrator.commands import StopJobs
from orchestrator.home import Home
from orchestrator.store import read_state
from skint.attempt import StopHow
from skint.errors import OK

EXAMPLES = ("skint cancel wide",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--kill", action="store_true", help="do not wait for a checkpoint")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    if arguments.name not in read_state(home.store).runs:
        raise RunNotFound(f"there is no run {arguments.name}", next="skint status")
    home.start_scheduler()
    how: StopHow = "kill" if arguments.kill else "step"
    print(ask(home, StopJobs(run=arguments.name, scope="run", target=arguments.name, how=how)))
    return OK
