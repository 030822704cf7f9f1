"""All commands. `orchestrator.cli.usage` says which serves what purpose."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from orchestrator.cli.manner import HELP
from orchestrator.cli.parser import Parser

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("orchestrator.cli.init", "look at a folder of pictures and write a plan for it"),
    "plan": ("orchestrator.cli.plan", "show what a plan would do and cost; changes nothing"),
    "run": ("orchestrator.cli.run", "run a plan in the foreground, with live progress"),
    "simulate": ("orchestrator.cli.simulate", "what an account would give, week by week"),
    "submit": ("orchestrator.cli.submit", "queue a plan for the background scheduler"),
    "exec": ("orchestrator.cli.exec", "run any program under the budget of an account"),
    "status": ("orchestrator.cli.status", "what runs, what waits and why"),
    "queue": ("orchestrator.cli.queue", "what runs and waits, in the order in which it starts"),
    "show": ("orchestrator.cli.show", "one run: metric, hours and state of each job"),
    "logs": ("orchestrator.cli.logs", "what a job printed"),
    "metrics": ("orchestrator.cli.metrics", "what was measured, epoch by epoch and fold by fold"),
    "compare": ("orchestrator.cli.compare", "runs side by side: recipes, scores, hours"),
    "artifacts": ("orchestrator.cli.artifacts", "files that a run has made: list, fetch"),
    "report": ("orchestrator.cli.report", "one HTML file about a run: curves, mistakes, hours"),
    "top": ("orchestrator.cli.top", "live dashboard: budget, jobs, events"),
    "budget": ("orchestrator.cli.budget", "hours used, reserved and free on each account"),
    "ledger": ("orchestrator.cli.ledger", "what was written down; adjust, readings, lots, export"),
    "account": ("orchestrator.cli.account", "add, show, change and remove accounts"),
    "cache": ("orchestrator.cli.cache", "results on disk: ls, verify, prune"),
    "cancel": ("orchestrator.cli.cancel", "stop a run; checkpoints are kept"),
    "abort": ("orchestrator.cli.abort", "stop one fold of a run; the others go on"),
    "pause": ("orchestrator.cli.pause", "park a run, a group or one fold until it is resumed"),
    "resume": ("orchestrator.cli.resume", "undo a stop or a pause: run, group or fold goes on"),
    "retry": ("orchestrator.cli.retry", "try failed or aborted folds anew, from their checkpoint"),
    "hold": ("orchestrator.cli.hold", "start no new jobs; what runs goes on"),
    "release": ("orchestrator.cli.release", "end a hold: jobs start again"),
    "answer": ("orchestrator.cli.answer", "answer a stop rule that asks: stop, or let it run"),
    "baseline": ("orchestrator.cli.baseline", "what runs are compared with: show, set, clear"),
    "doctor": ("orchestrator.cli.doctor", "check this machine; says how to mend what is wrong"),
    "config": ("orchestrator.cli.config", "what holds for all plans: get, set, unset, list, path"),
    "completion": ("orchestrator.cli.completion", "a script that has your shell complete"),
    "schema": ("orchestrator.cli.schema", "JSON Schema of plans, and of what --json answers"),
    "slack": ("orchestrator.cli.slack", "make a Slack app of your own; try its tokens"),
    "scheduler": ("orchestrator.cli.scheduler", "start or stop the background scheduler"),
    "tick": ("orchestrator.cli.tick", "one round of the scheduler, when none runs"),
    "replay": ("orchestrator.cli.replay", "project the events again and compare with the state"),
}


class CommandModule(Protocol):
    """`run` finds a `Manner` in `arguments.manner`. `EXAMPLES`, lines that CI runs in order in an
    empty folder with a simulated account `demo`, may stand in the module."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def parser_of(name: str) -> tuple[CommandModule, Parser]:
    """The command's module and its argument parser."""
    path, summary = COMMANDS[name]
    module = cast("CommandModule", importlib.import_module(path))
    examples = "\n".join(f"  {line}" for line in getattr(module, "EXAMPLES", ()))
    parts = [module.__doc__ or "", f"examples:\n{examples}" if examples else "", HELP]
    parser = Parser(
        prog=f"skint {name}", description=summary, epilog="\n\n".join(filter(None, parts))
    )
    module.add_arguments(parser)
    return module, parser
