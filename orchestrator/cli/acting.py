"""What commands that change something have in common: who asks, about what, and how it is said."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterable

from orchestrator.cli import named
from orchestrator.cli.folds import FoldNotFound, job_of_fold
from orchestrator.cli.printing.output import print_done
from orchestrator.events.verdict import StopScope
from orchestrator.home import Home
from orchestrator.state.state import RunState
from orchestrator.store.store import read_recent, read_run
from orchestrator.views.run.stake import Facts


def add_part(parser: argparse.ArgumentParser) -> None:
    """`--fold` and `--group`, of a command that may mean a part of a run."""
    parser.add_argument("--fold", metavar="N", type=int, help="only this fold, from 0")
    parser.add_argument("--group", help="only this plan entry, or one combination of its matrix")


def part_meant(run: RunState, fold: int | None, group: str | None) -> tuple[StopScope, str]:
    """Scope and target. Raises FoldNotFound where there is no such part."""
    if fold is not None:
        return "attempt", job_of_fold(run, fold, group, "--group")
    if group is None:
        return "run", run.name
    groups = dict.fromkeys([*run.graph.groups(), *run.graph.cells()])
    if group not in groups:
        raise FoldNotFound(f"{run.name} has no such group", got=group, wanted=", ".join(groups))
    return "group", group


def run_named(home: Home, name: str) -> RunState:
    """Raises RunNotFound, which names the nearest of the live ones and the newest."""
    run = read_run(home.store, name).runs.get(name)
    return run or named.run_named(read_recent(home.store, named.NEWEST), name)


def question(title: str, facts: Facts) -> str:
    """What is asked, below what is at stake."""
    width = max((len(name) for name, _ in facts), default=0)
    return "\n".join([*(f"  {name:<{width}}  {words}" for name, words in facts), title])


def login_name() -> str:
    """Who asks; a machine may have no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "cli"


def tell(arguments: argparse.Namespace, did: str, texts: Iterable[str], run: str | None) -> None:
    """What was done; to a program in any case, to a person unless they want no words."""
    text = "\n".join(texts)
    if arguments.json or not arguments.manner.quiet:
        print_done(did, text, run, as_json=arguments.json)
