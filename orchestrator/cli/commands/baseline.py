"""Stop rules compare a run with the best finished one on the same pictures, folds and metric, or
with the newest that was chosen here. A run that cannot be compared is never used in its place."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from orchestrator.baselines.book import Book, why_no_baseline
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.group import Group, scores_of
from orchestrator.cli.inbox import ask
from orchestrator.cli.named import run_named
from orchestrator.cli.printing.output import add_json, print_answer, print_done
from orchestrator.cli.printing.screen import prose, table
from orchestrator.commands import SetBaseline
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_state
from orchestrator.views.comparing.baselines import comparisons_of, score_of, sentence
from skint.errors import FAILED, OK, SkintError

if TYPE_CHECKING:
    from orchestrator.shapes import baseline as shapes

MOST = 10
"""Runs that are not compared and are told; the others are counted."""


class NoBaseline(SkintError):
    """A run that nothing can be compared with."""

    exit_code = FAILED


EXAMPLES = ("skint baseline set seedlings-1", "skint baseline show bold")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    chosen = actions.add_parser("set", help="compare later runs with this one")
    chosen.add_argument("name", metavar="RUN")
    add_json(chosen)
    cleared = actions.add_parser("clear", help="take that back")
    cleared.add_argument("name", metavar="RUN")
    add_json(cleared)
    shown = actions.add_parser(
        "show", help="what a run is compared with, and why not with the others"
    )
    shown.add_argument("name", metavar="RUN", nargs="?", help="default: what was chosen")
    add_json(shown)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    state = read_state(home.store)
    found = None if arguments.name is None else run_named(state, arguments.name)
    if found is None or arguments.action == "show":
        if arguments.json:
            print_answer(_told(state, found))
        else:
            print(prose_of(list(_chosen(state) if found is None else _shown(state, found))))
        return OK
    chooses = arguments.action == "set"
    if chooses and (why := why_no_baseline(state, found)):
        raise NoBaseline(
            f"{found.name} has no finished group of folds",
            got=why,
            wanted="a run of which all folds of an entry are done",
            next=f"skint show {found.name}",
        )
    home.start_scheduler()
    reply = ask(home, SetBaseline(run=found.name, on=chooses))
    print_done(f"baseline {arguments.action}", reply, found.name, as_json=arguments.json)
    return OK


def prose_of(lines: list[str]) -> str:
    """Tables stay as they are: their lines are not broken."""
    return "\n".join(line if "\n" in line else prose(line) for line in lines)


def _chosen(state: State) -> Iterator[str]:
    runs = _chosen_runs(state)
    if not runs:
        yield "nothing was chosen: a run is compared with the best finished one that is like it"
    for run in runs:
        yield f"{run.name}   chosen for {run.graph.name}"


def _chosen_runs(state: State) -> list[RunState]:
    """The newest choice first."""
    runs = [run for run in state.runs.values() if run.baseline_ms is not None]
    return sorted(runs, key=lambda run: run.baseline_ms or 0, reverse=True)


def _told(state: State, run: RunState | None) -> shapes.Baseline:
    """The same for programs."""
    from orchestrator.shapes import baseline as shapes
    from orchestrator.shapes.shape import instant

    compared = {} if run is None else comparisons_of(Book().update(state), run)
    return shapes.Baseline(
        run=None if run is None else run.name,
        chosen=tuple(
            shapes.Chosen(one.name, one.graph.name, instant(one.baseline_ms or 0))
            for one in _chosen_runs(state)
        ),
        groups=tuple(_group_told(name, *found) for name, found in compared.items()),
    )


def _group_told(name: str, group: Group, comparison: Comparison) -> shapes.Group:
    from orchestrator.shapes import baseline as shapes

    baseline = comparison.baseline
    return shapes.Group(
        group=name,
        metric=comparison.metric.name,
        larger_is_better=comparison.metric.larger_is_better,
        baseline=None if baseline is None else baseline.run,
        sentence=sentence(comparison, group, over=True),
        finished=tuple(
            shapes.Finished(
                run=one.run,
                group=one.group,
                mean=fmean(scores := scores_of(one)),
                sd=stdev(scores) if len(scores) > 1 else None,
                wall_s=one.wall_s,
                baseline=one is baseline,
            )
            for one in comparison.finished
        ),
        refused=tuple(shapes.Refused(one.run, one.group, one.why) for one in comparison.refused),
    )


def _shown(state: State, run: RunState) -> Iterator[str]:
    if run.baseline_ms is not None:
        yield f"{run.name} was chosen: later runs are compared with it where they can be"
    compared = comparisons_of(Book().update(state), run)
    if not compared:
        yield f"{run.name} trains no folds: nothing is compared"
    for name, (group, comparison) in compared.items():
        yield from _of_group(name, group, comparison)


def _of_group(name: str, group: Group, comparison: Comparison) -> Iterator[str]:
    yield f"baseline of {name}   {sentence(comparison, group, over=True)}"
    rows = [
        (
            one.run,
            one.group,
            score_of(one),
            "baseline" if one is comparison.baseline else "history",
        )
        for one in comparison.finished
    ]
    rows += [(one.run, one.group, "", one.why) for one in comparison.refused[:MOST]]
    if rows:
        metric = comparison.metric
        way = "larger" if metric.larger_is_better else "smaller"
        head = f"{metric.name or 'score'} ({way} is better)"
        yield "\n" + table(("run", "group", head, "compared"), rows)
    rest = len(comparison.refused) - MOST
    if rest > 0:
        yield f"{rest:,} more cannot be compared"
