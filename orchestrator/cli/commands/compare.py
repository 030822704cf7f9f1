"""Runs side by side: what differs in their recipes, the score of each fold, what it cost. One run
alone shows the entries or the combinations of a matrix that it has. ± is the standard deviation
over folds; behind a difference of the same folds it is its standard error. A score in brackets is
the best so far of a fold that is not done. Runs of different plans may be compared; where their
scores were measured on other pictures, that is said."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from typing import TYPE_CHECKING

from orchestrator.cli.named import read_named
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import PIPE_WIDTH, columns, prose
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.views.comparing.comparison import mean_curve
from orchestrator.views.comparing.comparison_table import Side, lines_of, sides_of
from skint.errors import NOT_FOUND, OK, SkintError

if TYPE_CHECKING:
    from orchestrator.shapes import compare as shapes

EXAMPLES = ("skint compare seedlings-1 bold", "skint compare seedlings-1 bold --metric val_loss")


class NothingToCompare(SkintError):
    """There is nothing that was trained, or measured by that name."""

    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="RUN", nargs="+", help="others stand beside the first")
    parser.add_argument(
        "--metric",
        metavar="NAME",
        help="another than the one that is reported as the score: at the epoch that is kept",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--plot", action="store_true", help="draw the mean over the folds as well")
    how.add_argument("--csv", action="store_true", help="for other programs: a row a fold")
    add_json(how)


def run(arguments: argparse.Namespace) -> int:
    found = chosen(arguments)
    if arguments.json:
        print_answer(told(found))
    elif arguments.csv:
        write_csv(found)
    else:
        width = columns() if sys.stdout.isatty() else PIPE_WIDTH
        texts = []
        for name, sides in found:
            table, notes = lines_of(sides, width)
            parts = ["\n".join([*([name] if name else []), *table]), "\n".join(map(prose, notes))]
            texts += [*filter(None, parts), *([_drawn(sides)] if arguments.plot else [])]
        print("\n\n".join(texts))
    return OK


Sections = list[tuple[str, list[Side]]]


def chosen(arguments: argparse.Namespace) -> Sections:
    """What is to stand side by side. Raises RunNotFound and NothingToCompare."""
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_named(home, arguments.names)
    runs = [state.runs[name] for name in dict.fromkeys(arguments.names)]
    found = sides_of(runs, state, now_ms, KeptIngredients(home.keys), arguments.metric)
    sides = [side for _, own in found for side in own]
    if not sides:
        raise NothingToCompare(
            f"{' and '.join(run.name for run in runs)} trained nothing",
            wanted="a run with folds, or with a job on an accelerator",
            next=f"skint show {runs[0].name}",
        )
    measured = any(fold.score is not None for side in sides for fold in side.column.folds)
    if arguments.metric is not None and not measured:
        names = dict.fromkeys(name for side in sides for name in side.measured)
        raise NothingToCompare(
            f"none of them has reported {arguments.metric}",
            where="--metric",
            wanted=", ".join(names) or None,
        )
    return found


def _drawn(sides: list[Side]) -> str:
    """The mean over the folds of each column, in one picture."""
    from orchestrator.cli.printing.plotted import plotted

    curves = [
        (chr(ord("A") + number % 26), side.column.name, mean_curve(side.column))
        for number, side in enumerate(sides)
    ]
    picture = plotted(f"{sides[0].column.metric.name}, mean over the folds", curves)
    return picture or "nothing to draw: no epoch has a value that is a number"


def write_csv(found: Sections) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    heads = ("run", "group", "fold", "status", "metric", "score", "epoch", "epochs", "comparable")
    writer.writerow(heads)
    for _, sides in found:
        for side in sides:
            column = side.column
            for fold in column.folds:
                cells = (
                    fold.fold,
                    fold.status,
                    column.metric.name,
                    fold.score,
                    fold.epoch,
                    fold.epochs,
                )
                known = ("" if cell is None else cell for cell in cells)
                own = "no" if side.why_not else "yes"
                writer.writerow((column.run, column.group.name, *known, own))


def told(found: Sections) -> shapes.Compare:
    """The same for programs."""
    from orchestrator.shapes import compare as shapes

    return shapes.Compare(
        tuple(shapes.Section(name, tuple(map(_column_told, sides))) for name, sides in found)
    )


def _column_told(side: Side) -> shapes.Column:
    from orchestrator.shapes import compare as shapes
    from orchestrator.shapes.shape import instant

    column, paired = side.column, side.paired
    return shapes.Column(
        run=column.run,
        plan=column.plan,
        group=column.group.name,
        submitted=instant(column.submitted_ms),
        simulated=column.simulated,
        metric=column.metric.name,
        larger_is_better=column.metric.larger_is_better,
        comparable=not side.why_not,
        why_not=side.why_not,
        folds=tuple(
            shapes.Fold(
                job=fold.job,
                fold=fold.fold,
                status=fold.status,
                done=fold.done,
                score=fold.score,
                epoch=fold.epoch,
                epochs=fold.epochs,
                why=fold.why,
            )
            for fold in column.folds
        ),
        mean=column.mean,
        sd=column.sd,
        paired=None if paired is None else shapes.Paired(paired.mean, paired.se, paired.folds),
        unit=column.unit,
        charged_ms=column.charged_ms,
        cost_ms=column.cost_ms,
        saved_ms=column.saved_ms,
        per_hour=column.per_hour,
        stops=column.stops,
        recipe=dict(side.recipe),
        changed=side.changed,
    )
