"""The table of `skint compare`: a column for each group of folds, a row for each thing to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budget.amount import format_amount
from budget.duration import HOUR_MS
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.state.state import RunState, State
from orchestrator.views.comparing.comparison import (
    UNSURE,
    Column,
    Fold,
    Paired,
    columns_of,
    paired,
    sections,
    why_not,
)
from orchestrator.views.comparing.recipe import Trained, code_changes, recipe_rows
from orchestrator.views.figures import decimals_of, shown
from orchestrator.views.local_time import local_time
from orchestrator.views.run.metrics import courses_of

LONGEST = 28
"""Characters of a value of the recipe."""
MOST_CHANGES = 5


@dataclass(frozen=True)
class Side:
    """A column with what it is beside the first one."""

    column: Column
    why_not: str
    """Why its scores must not be set beside those of the first; empty where they may."""
    paired: Paired | None
    recipe: Mapping[str, Any]
    """What is not the same in all columns."""
    changed: tuple[str, ...]
    """Code, libraries and files that differ from the first one's."""
    measured: tuple[str, ...]
    """The names of what it has reported."""


def sides_of(
    runs: Sequence[RunState],
    state: State,
    now_ms: int,
    kept: KeptIngredients,
    metric: str | None = None,
) -> list[tuple[str, list[Side]]]:
    """By the entries of the plans, where there are several; `kept` says what jobs were made of."""
    found = [one for run in runs for one in columns_of(run, state.runs, now_ms, metric)]
    return [(name, _beside(columns, state, kept)) for name, columns in sections(found)]


def _beside(columns: Sequence[Column], state: State, kept: KeptIngredients) -> list[Side]:
    first = columns[0]
    trained = [Trained(state.runs[one.run].graph, one.group.jobs[0]) for one in columns]
    rows = recipe_rows(trained)
    sides = []
    for number, (column, recipe) in enumerate(zip(columns, trained, strict=True)):
        why = why_not(first, column, state.runs) if number else ""
        changes = code_changes(trained[0], recipe, kept.record, kept.detail) if number else ()
        ids = {job.id for job in column.group.jobs}
        courses = courses_of(state.runs[column.run], state.runs)
        names = dict.fromkeys(n for one in courses if one.job in ids for n in one.names)
        sides.append(
            Side(
                column=column,
                why_not=why,
                paired=paired(first, column) if number and not why else None,
                recipe={row.name: row.values[number] for row in rows},
                changed=tuple(changes),
                measured=tuple(names),
            )
        )
    return sides


def lines_of(sides: Sequence[Side], width: int = 160) -> tuple[list[str], list[str]]:
    """The lines of the table, and those about what does not fit into cells. Where columns side by
    side would be wider than `width`, there is a row for each instead, if that is less wide."""
    rows, notes = rows_and_notes(sides)
    table = _aligned(rows)
    if max(map(len, table)) > width and len(sides) > 1:
        names = [" ".join(part for part in row[:2] if part) for row in _with_heads(rows)]
        turned = _aligned([names, *zip(*(row[2:] for row in rows), strict=True)])
        table = min(table, turned, key=lambda lines: max(map(len, lines)))
    return table, notes


Cells = tuple[str, ...]


def rows_and_notes(sides: Sequence[Side]) -> tuple[list[Cells], list[str]]:
    """The heads and the rows of the table, a column for each side; and what is to be said of it."""
    heads = ("", "", *(side.column.name for side in sides))
    rows = [heads, *_recipe(sides), *_scores(sides), *_costs(sides)]
    notes = [*_comparability(sides), *(line for side in sides for line in _notes(side))]
    metric = sides[0].column.metric
    if metric.name and not metric.larger_is_better:
        notes.append(f"{metric.name}: less is better")
    pretended = [side.column.name for side in sides if side.column.simulated]
    if pretended:
        whose = "all" if len(pretended) == len(sides) else ", ".join(pretended)
        notes.append(f"simulated devices, whose hours are pretended: {whose}")
    return rows, notes


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _with_heads(rows: Sequence[Cells]) -> Iterator[Cells]:
    """Each row with its head, which stands in the first of those that share it only."""
    head = ""
    for row in rows:
        head = row[0] or head
        yield (head if row[1] else row[0], *row[1:])


def _recipe(sides: Sequence[Side]) -> Iterator[Cells]:
    yield ("submitted", "", *(local_time(side.column.submitted_ms) for side in sides))
    for name in sides[0].recipe:
        yield (name, "", *(_value(side.recipe[name]) for side in sides))


def _scores(sides: Sequence[Side]) -> Iterator[Cells]:
    """A row a fold, under the name of the metric; then their mean."""
    names = {side.column.metric.name for side in sides if side.column.metric.name}
    head = names.pop() if len(names) == 1 else "score"
    by_fold = [{fold.fold or 0: fold for fold in side.column.folds} for side in sides]
    if names:
        yield ("metric", "", *(side.column.metric.name or "–" for side in sides))
    values = [f.score for folds in by_fold for f in folds.values() if f.score is not None]
    digits = decimals_of(values)
    split = any(fold.fold is not None for folds in by_fold for fold in folds.values())
    for number in sorted({fold for folds in by_fold for fold in folds}):
        title = f"fold {number}" if split else ""
        yield (head, title, *(_score(folds.get(number), digits) for folds in by_fold))
        head = ""
    if not split:
        return
    digits = _digits_of_means(sides, values)
    yield (head, "mean", *(_mean(side.column, digits) for side in sides))
    if any(side.paired for side in sides):
        first = sides[0].column
        cells = ["" if s.column is first else _difference(s.paired, digits) for s in sides]
        yield ("", f"less {first.name}", *cells)


def _costs(sides: Sequence[Side]) -> Iterator[Cells]:
    columns = [side.column for side in sides]
    credits = [column.unit == "credit" for column in columns]
    word = "credits" if all(credits) else "hours"
    amounts_ms = [ms for c in columns for ms in (c.charged_ms, c.saved_ms) if ms]
    # Hours with two digits, more where some are few.
    digits = 4 if amounts_ms and min(amounts_ms) < HOUR_MS // 10 else 2

    def amount(ms: int, column: Column) -> str:
        if any(credits):
            return format_amount(ms, column.unit)
        return f"{ms / HOUR_MS:.{digits}f}" if ms else "0"

    if any(column.cost_ms or column.charged_ms for column in columns):
        yield (word, "charged", *(amount(c.charged_ms, c) for c in columns))
    if any(column.saved_ms for column in columns):
        yield ("", "saved", *(amount(c.saved_ms, c) if c.saved_ms else "–" for c in columns))
    rates = [column.per_hour for column in columns if column.per_hour is not None]
    if rates:
        most = decimals_of(rates, 3)
        per = ("–" if c.per_hour is None else shown(c.per_hour, most) for c in columns)
        yield (f"{columns[0].metric.name} per {word.removesuffix('s')}", "", *per)


def _comparability(sides: Sequence[Side]) -> Iterator[str]:
    """Which columns must not be set beside the first, and why; those that share it together."""
    reasons: dict[str, list[str]] = {}
    for side in sides:
        if side.why_not and not side.column.metric.name:
            yield side.why_not
        elif side.why_not:
            reasons.setdefault(side.why_not, []).append(side.column.name)
    for why, names in reasons.items():
        whose, first = ", ".join(names), sides[0].column.name
        if why == UNSURE:
            yield f"? {whose} and {first}: {why}"
        else:
            yield f"! {whose} cannot be compared with {first}: {why}; the scores mean other things"


def _notes(side: Side) -> Iterator[str]:
    column = side.column
    for change in side.changed[:MOST_CHANGES]:
        yield f"{column.name} · {change}"
    if len(side.changed) > MOST_CHANGES:
        yield f"{column.name} · {len(side.changed) - MOST_CHANGES} more differences in code"
    yield from (f"{column.name} · {text}" for text in column.stops)
    ended: dict[str, list[str]] = {}
    for fold in column.folds:
        if fold.why and not (column.stops and fold.status in ("stopped", "parked")):
            ended.setdefault(f"{fold.status}: {fold.why}", []).append(fold.title)
    yield from (f"{column.name} · {', '.join(folds)} {why}" for why, folds in ended.items())
    if column.cost_ms > column.charged_ms:
        elsewhere = column.cost_ms - column.charged_ms
        yield (
            f"{column.name} · {format_amount(elsewhere, column.unit)} of what its scores cost was"
            " charged to the runs that it has them from"
        )


def _digits_of_means(sides: Sequence[Side], scores: Sequence[float]) -> int:
    """Of means, their spreads and differences: as many as scores of their size may have."""
    means = [v for s in sides for v in (s.column.mean, s.column.sd) if v is not None]
    pairs = [side.paired for side in sides if side.paired is not None]
    less = [v for pair in pairs for v in (pair.mean, pair.se) if v is not None]
    largest = max(map(abs, scores), default=0.0)
    return decimals_of([*means, *less, largest])


def _score(fold: Fold | None, digits: int) -> str:
    """ "0.9020"; of a fold that is not done the best so far, "(0.8610 at 4/12)"."""
    if fold is None:
        return ""
    if fold.score is None:
        return f"– {fold.status}" if not fold.done else "–"
    if fold.done:
        return shown(fold.score, digits)
    at = f" at {fold.epoch}/{fold.epochs}" if fold.epoch and fold.epochs else ""
    return f"({shown(fold.score, digits)}{at}) {fold.status}"


def _mean(column: Column, digits: int) -> str:
    if column.mean is None:
        wanted = column.group.jobs[0].folds or len(column.folds)
        return f"– {len(column.scores)} of {wanted} done"
    sd = "" if column.sd is None else f" ± {shown(column.sd, digits)}"
    return f"{shown(column.mean, digits)}{sd}"


def _difference(found: Paired | None, digits: int) -> str:
    if found is None:
        return "–"
    sign = "+" if found.mean >= 0 else "−"
    mean = _small(abs(found.mean), digits)
    if found.se is None:
        return f"{sign}{mean} (1 fold)"
    return f"{sign}{mean} ± {_small(found.se, digits)} (se, {found.folds} folds)"


def _small(value: float, digits: int) -> str:
    """Of a difference: what is only the rounding of its terms is nothing."""
    text = f"{value:.{digits}f}"
    return f"{value:.2g}" if value > 1e-9 and not float(text) else text


def _value(value: Any) -> str:
    if value is None:
        return "–"
    text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
