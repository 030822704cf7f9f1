"""Every metric that the folds of a run have reported, epoch by epoch; `*` is the best epoch by what
a job is judged by. Smoke tests are left out, and so are numbers of CPU jobs that train nothing,
unless --job names one."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.named import read_named
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import table
from orchestrator.home import Home
from orchestrator.views.figures import decimals_of, shown
from orchestrator.views.run.metrics import Course, best_of, courses_of, trained
from skint.errors import NOT_FOUND, OK, SkintError

if TYPE_CHECKING:
    from orchestrator.shapes.metrics import Metrics

EXAMPLES = ("skint metrics seedlings-1 --plot", "skint metrics seedlings-1 --csv")


class NoMetrics(SkintError):
    """Nothing was reported, or not by what is asked for."""

    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--fold", type=int, metavar="N", help="one fold, from 0")
    parser.add_argument("--job", metavar="JOB", help="a job or an entry of the plan")
    parser.add_argument("--metric", metavar="NAME", help="one metric, such as val_acc")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--plot", action="store_true", help="draw one metric: what it is judged by, or --metric"
    )
    how.add_argument("--csv", action="store_true", help="for other programs: a row an epoch")
    add_json(how)


def run(arguments: argparse.Namespace) -> int:
    found = chosen(arguments)
    if arguments.json:
        print_answer(told(arguments.name, found))
    elif arguments.csv:
        write_csv(found)
    elif arguments.plot:
        print(drawn(found, arguments.metric or found[0].metric))
    else:
        print("\n\n".join(render(found)))
    return OK


def chosen(arguments: argparse.Namespace) -> list[Course]:
    """What is asked for. Raises RunNotFound and NoMetrics."""
    state = read_named(Home.find(), [arguments.name])
    run = state.runs[arguments.name]
    everything = courses_of(run, state.runs)
    if arguments.job is None:
        found = trained(everything)
    else:
        found = [course for course in everything if arguments.job in (course.job, course.group)]
    if not found:
        named = f"{arguments.job} of {run.name}" if arguments.job else run.name
        raise NoMetrics(
            f"{named} has reported no metric",
            wanted=_some(dict.fromkeys(course.group for course in everything)),
            next=f"skint show {run.name}",
        )
    folds = [course.fold for course in found]
    if arguments.fold is not None:
        found = [course for course in found if course.fold == arguments.fold]
        if not found:
            raise NoMetrics(
                f"no fold {arguments.fold} of {run.name} has reported a metric",
                where="--fold",
                wanted=_some(str(fold) for fold in folds if fold is not None),
            )
    names = dict.fromkeys(name for course in found for name in course.names)
    if arguments.metric is None:
        return found
    if arguments.metric not in names:
        raise NoMetrics(
            f"{run.name} has reported no {arguments.metric}", where="--metric", wanted=_some(names)
        )
    return [course.only(arguments.metric) for course in found]


def _some(names: Iterable[str]) -> str | None:
    return ", ".join(names) or None


def render(found: Sequence[Course]) -> Iterator[str]:
    """A table for each group of jobs that report the same metrics."""
    groups: dict[tuple[str, tuple[str, ...]], list[Course]] = {}
    for course in found:
        groups.setdefault((course.group, course.names), []).append(course)
    for (group, names), courses in groups.items():
        first = "fold" if courses[0].fold is not None else "job"
        points = [point for course in courses for point in course.points]
        known = {
            name: [v for p in points if (v := p.values.get(name)) is not None] for name in names
        }
        digits = {name: decimals_of(values) for name, values in known.items()}
        rows = []
        for course in courses:
            best = best_of(course.points, course.metric)
            for point in course.points:
                rows.append(
                    (
                        str(course.fold) if first == "fold" else course.job,
                        f"{point.epoch}{'*' if point is best else ' '}",
                        *(
                            shown(value, digits[name])
                            if (value := point.values.get(name)) is not None
                            else ""
                            for name in names
                        ),
                    )
                )
        heads = (f">{first}" if first == "fold" else first, ">epoch ", *(f">{n}" for n in names))
        yield "\n".join([group, table(heads, rows), *_ends(courses)])


def _ends(courses: Sequence[Course]) -> Iterator[str]:
    """What was reused, which was trained in another run."""
    for course in courses:
        if course.reused_from:
            yield f"{course.title}: trained in {course.reused_from}"


def drawn(found: Sequence[Course], metric: str) -> str:
    """The curves of all folds in one picture. Raises NoMetrics where no value is a number."""
    from orchestrator.cli.printing.plotted import mark_of, plotted

    picture = plotted(
        metric,
        [
            (
                mark_of(course.fold, number),
                course.job if course.fold is None else f"fold {course.fold}",
                course.curve(metric),
            )
            for number, course in enumerate(found)
        ],
    )
    if not picture:
        raise NoMetrics(f"no value of {metric} is a number", next="without --plot")
    return picture


def write_csv(found: Sequence[Course]) -> None:
    """A row an epoch; a column for each metric of all jobs, empty where it was not measured."""
    from orchestrator.cli.ledger.ledger_rows import no_formula
    from orchestrator.shapes.shape import instant

    names = list(dict.fromkeys(name for course in found for name in course.names))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("job", "fold", "epoch", "at", *map(no_formula, names)))
    for course in found:
        fold = "" if course.fold is None else course.fold
        for point in course.points:
            values = (point.values.get(name, "") for name in names)
            writer.writerow((course.job, fold, point.epoch, instant(point.at_ms), *values))


def told(run: str, found: Sequence[Course]) -> Metrics:
    """The same for programs."""
    from orchestrator.shapes import metrics as shapes
    from orchestrator.shapes.shape import instant

    return shapes.Metrics(
        run=run,
        jobs=tuple(
            shapes.Course(
                job=course.job,
                fold=course.fold,
                metric=course.metric,
                score=course.score,
                best_epoch=course.best.epoch if course.best else None,
                reused_from=course.reused_from or None,
                points=tuple(
                    shapes.Point(point.epoch, instant(point.at_ms), dict(point.values))
                    for point in course.points
                ),
            )
            for course in found
        ),
    )
