"""All commands. `orchestrator.cli.parsing.usage` says which serves what purpose."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from orchestrator.cli.parsing.manner import HELP
from orchestrator.cli.parsing.parser import Parser

COMMANDS: Mapping[str, str] = {
    "init": "look at a folder of pictures and write a plan for it",
    "plan": "show what a plan would do and cost; changes nothing",
    "run": "run a plan in the foreground, with live progress",
    "simulate": "what an account would give, week by week",
    "submit": "queue a plan for the background scheduler",
    "exec": "run any program under the budget of an account",
    "status": "what runs, what waits and why",
    "queue": "what runs and waits, in the order in which it starts",
    "show": "one run: metric, hours and state of each job",
    "logs": "what a job printed",
    "metrics": "what was measured, epoch by epoch and fold by fold",
    "compare": "runs side by side: recipes, scores, hours",
    "artifacts": "files that a run has made: list, fetch",
    "report": "one HTML file about a run: curves, mistakes, hours",
    "top": "live dashboard: budget, jobs, events",
    "budget": "hours used, reserved and free on each account",
    "ledger": "what was written down; adjust, readings, lots, export",
    "account": "add, show, change and remove accounts",
    "cache": "results on disk: ls, verify, prune",
    "cancel": "stop a run; checkpoints are kept",
    "abort": "stop one fold of a run; the others go on",
    "pause": "park a run, a group or one fold until it is resumed",
    "resume": "undo a stop or a pause: run, group or fold goes on",
    "retry": "try failed or aborted folds anew, from their checkpoint",
    "hold": "start no new jobs; what runs goes on",
    "release": "end a hold: jobs start again",
    "answer": "answer a stop rule that asks: stop, or let it run",
    "baseline": "what runs are compared with: show, set, clear",
    "doctor": "check this machine; says how to mend what is wrong",
    "config": "what holds for all plans: get, set, unset, list, path",
    "completion": "a script that has your shell complete",
    "schema": "JSON Schema of plans, and of what --json answers",
    "slack": "make a Slack app of your own; try its tokens",
    "scheduler": "start or stop the background scheduler",
    "tick": "one round of the scheduler, when none runs",
    "replay": "project the events again and compare with the state",
}


class CommandModule(Protocol):
    """`run` finds a `Manner` in `arguments.manner`. `EXAMPLES`, lines that CI runs in order in an
    empty folder with a simulated account `demo`, may stand in the module."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def parser_of(name: str) -> tuple[CommandModule, Parser]:
    """The command's module and its argument parser."""
    module = cast("CommandModule", importlib.import_module(f"orchestrator.cli.commands.{name}"))
    examples = "\n".join(f"  {line}" for line in getattr(module, "EXAMPLES", ()))
    parts = [module.__doc__ or "", f"examples:\n{examples}" if examples else "", HELP]
    parser = Parser(
        prog=f"skint {name}", description=COMMANDS[name], epilog="\n\n".join(filter(None, parts))
    )
    module.add_arguments(parser)
    return module, parser
