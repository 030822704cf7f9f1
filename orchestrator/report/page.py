"""What stands on the page about a run.

Importing this module imports numpy, by way of the drawing of curves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from budget.amount import format_amount
from budget.duration import format_clock
from jobs.errors.curves import Curve, draw
from jobs.pages.pages import percent, template
from orchestrator.baselines.book import Book
from orchestrator.graph import Job
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.state.state import RunState, State
from orchestrator.views.budget.savings import exactly, kept, saving_line
from orchestrator.views.comparing.baselines import comparisons_of, sentence
from orchestrator.views.comparing.comparison_table import rows_and_notes, sides_of
from orchestrator.views.figures import exact_figure, mean_and_spread
from orchestrator.views.local_time import local_time
from orchestrator.views.run.gaps import usage_lines
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.meters import HEADS as METER_HEADS
from orchestrator.views.run.meters import meter_rows
from orchestrator.views.run.metrics import Course, courses_of, trained
from orchestrator.views.run.stages import stage_rows
from orchestrator.views.run.view import RunView, run_view
from orchestrator.views.words.said import resumed_lines, said_line

DRAWN = 12
"""Metrics of a group that are drawn; the others are in `skint metrics`."""
LARGEST_PAGE = 20_000_000
"""Bytes of a job's own page that is taken in; a larger one is named."""


@dataclass(frozen=True)
class Head:
    text: str
    right: bool


@dataclass(frozen=True)
class Table:
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]


def table_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """`heads` as tables of the terminal have them: `>` before what is right-aligned."""
    return Table(
        tuple(Head(head.lstrip(">"), head.startswith(">")) for head in heads),
        tuple(tuple(row) for row in rows),
    )


def page(
    run: RunState, state: State, charged: Mapping[str, int], now_ms: int, kept_of: KeptIngredients
) -> str:
    """The page. `charged` is what the ledger has charged each attempt, `kept_of` what jobs were
    made of."""
    view = run_view(run, now_ms, state.runs)
    titles = {row.id: row.title for row in view.rows}
    stage_heads, stages = stage_rows(run, titles, dict(charged), view.amounts_in)
    meters = meter_rows(run)
    courses = trained(courses_of(run, state.runs))
    best = {course.job: course.best.epoch for course in courses if course.best}
    return template("orchestrator.report", "page.html.j2").render(
        view=view,
        plan=run.graph.name,
        headline=_headline(view),
        when=_when(view),
        jobs=table_of(
            ("job", "state", ">metric", ">best epoch", ">wall", ">charged", ""),
            [_job(row, best.get(row.id), run, charged, view.amounts_in) for row in view.rows],
        ),
        failures=list(_failures(view)),
        drawings=list(_drawings(courses)),
        compared=list(_compared(run, state, now_ms, kept_of)),
        verdicts=[said_line(said) for said in view.verdicts],
        resumed=resumed_lines(run),
        charged=_charged(view, charged),
        stages=table_of(stage_heads, stages) if stages else None,
        meters=table_of(METER_HEADS, meters) if meters else None,
        usage=list(_usage(run, view)),
        pages=list(_pages(run)),
        recipes=[
            {"name": name, "table": table_of(("parameter", "value"), rows)}
            for name, rows in _recipes(run)
        ],
        plan_text=run.graph.plan_text,
    )


def _headline(view: RunView) -> str:
    parts = []
    if view.mean is not None:
        parts.append(f"{view.metric} {mean_and_spread(view.mean, view.spread)}")
    if view.folds:
        parts.append(f"{view.folds_done} of {view.folds} {view.unit} done")
    return ", ".join(parts) or view.status


def _when(view: RunView) -> str:
    begun = f"submitted {local_time(view.submitted_ms)}"
    return begun if view.ended_ms is None else f"{begun}, ended {local_time(view.ended_ms)}"


def _job(
    row: JobRow, best: int | None, run: RunState, charged: Mapping[str, int], unit: str
) -> tuple[str, ...]:
    measured = row.value is not None and (row.lane == "accelerator" or row.epochs is not None)
    amounts = [charged[name] for name in run.jobs[row.id].attempts if name in charged]
    return (
        row.title,
        row.status,
        f"{row.metric} {exact_figure(row.value)}" if measured and row.value is not None else "",
        "" if best is None else f"{best}{f' of {row.epochs}' if row.epochs else ''}",
        "–" if row.wall_ms is None else format_clock(row.wall_ms),
        format_amount(sum(amounts), unit, exact=True) if amounts else "–",
        row.why or row.note,
    )


def _failures(view: RunView) -> Iterator[str]:
    for row in view.rows:
        if row.error:
            known = [name for name in ("where", "got", "wanted", "next") if name in row.error]
            what = f"{row.title}: {row.error.get('what') or row.why}"
            yield " · ".join([what, *(f"{name}: {row.error[name]}" for name in known)])


def _drawings(courses: Sequence[Course]) -> Iterator[tuple[str, list[tuple[str, Markup]]]]:
    """By group: each metric with its curves, all folds in one picture."""
    for group in dict.fromkeys(course.group for course in courses):
        own = [course for course in courses if course.group == group]
        drawn = []
        for metric in dict.fromkeys(name for course in own for name in course.names):
            curves = [
                Curve(number if c.fold is None else c.fold, metric, tuple(points), _label(c))
                for number, c in enumerate(own)
                if (points := c.curve(metric))
            ]
            if curves:
                # Markup: the drawing escapes its own text.
                drawn.append((metric, Markup(draw(curves, metric))))
        if drawn:
            yield group, drawn[:DRAWN]


def _label(course: Course) -> str:
    return course.job if course.fold is None else ""


def _compared(
    run: RunState, state: State, now_ms: int, kept_of: KeptIngredients
) -> Iterator[dict[str, Any]]:
    """What each group of folds is compared with, side by side where there is something."""
    for name, (group, found) in comparisons_of(Book().update(state), run).items():
        said = sentence(found, group, over=not run.live)
        one: dict[str, Any] = {"sentence": f"{name}: {said}", "table": None, "notes": []}
        if found.baseline is not None and found.baseline.run in state.runs:
            other = state.runs[found.baseline.run]
            for _, sides in sides_of([other, run], state, now_ms, kept_of):
                wanted = {(other.name, found.baseline.group), (run.name, name)}
                pair = [s for s in sides if (s.column.run, s.column.group.name) in wanted]
                if len(pair) == 2:
                    (heads, *rows), one["notes"] = rows_and_notes(pair)
                    one["table"] = table_of(heads, rows)
        yield one


def _charged(view: RunView, charged: Mapping[str, int]) -> str:
    if not charged:
        return "Nothing was charged."
    count = sum(ms > 0 for ms in charged.values())
    total = format_amount(sum(charged.values()), view.amounts_in, exact=True)
    attempts = "1 attempt" if count == 1 else f"{count} attempts"
    return f"Charged {total} for {attempts}, by the ledger."


def _usage(run: RunState, view: RunView) -> Iterator[str]:
    yield from (f"{head}: {text}" for head, text in usage_lines(run))
    if savings := kept(view.savings):
        yield f"saved: {exactly(savings)}"
        yield from map(saving_line, savings)


def _pages(run: RunState) -> Iterator[dict[str, str]]:
    """The pages that its jobs have made, each whole."""
    for id, job in run.jobs.items():
        if not job.has_result or not job.out:
            continue
        for path in sorted(Path(job.out).glob("*.html")):
            title = id if path.stem == "report" else f"{id}: {path.stem}"
            if path.stat().st_size > LARGEST_PAGE:
                yield {"title": title, "summary": f"It is large: {path}", "html": ""}
                continue
            html = path.read_text(encoding="utf-8", errors="replace")
            yield {"title": title, "summary": _summary(path.with_name("errors.json")), "html": html}


def _summary(path: Path) -> str:
    """What `errors` has found, in a sentence; empty of other pages."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        pairs = facts["most_confused"]
        right = f"{percent(facts['accuracy'])} of {facts['n']:,} right."
        told = (f"{a} ↔ {b} ({pair['count']})" for pair in pairs for a, b in [pair["classes"]])
        return f"{right} Most confused: {', '.join(told)}." if pairs else right
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _recipes(run: RunState) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The parameters of the jobs by entry, those that train first; one of each combination."""
    costly = sorted(run.graph.cells().items(), key=lambda cell: not cell[1][0].devices)
    for name, jobs in costly:
        if not jobs[0].smoke:
            yield f"{name} ({jobs[0].uses or 'a program'})", list(_parameters(jobs[0]))


def _parameters(job: Job) -> Iterator[tuple[str, str]]:
    if job.argv:
        yield "command", " ".join(job.argv)
    if job.devices:
        yield "devices", str(job.devices)
    yield from ((name, _value(value)) for name, value in job.params.items())


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
