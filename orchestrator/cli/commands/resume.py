"""Undo a stop or a pause: what `cancel`, `abort`, `pause` or a stop rule has stopped goes on from
its checkpoint, to the bit. Refused where nothing was stopped, or where the checkpoint is gone."""

from __future__ import annotations

import argparse

from orchestrator.cli.acting import add_part, login_name, part_meant, run_named, tell
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import ResumeJobs
from orchestrator.home import Home
from skint.errors import OK

EXAMPLES = ("skint resume other --fold 0", "skint cancel other --kill")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    add_part(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    known = run_named(home, arguments.name)
    scope, target = part_meant(known, arguments.fold, arguments.group)
    home.start_scheduler()
    request = ResumeJobs(run=known.name, scope=scope, target=target, by=login_name())
    text = ask(home, request)
    tell(arguments, "resume", [text], known.name)
    return OK
