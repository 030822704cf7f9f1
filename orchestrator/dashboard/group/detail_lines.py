"""The screen of one group in lines: its folds, and what there is to say of the chosen one. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from statistics import fmean

from budget.amount import format_amount
from budget.duration import HOUR_MS, format_clock
from orchestrator.dashboard.group.beside import Beside
from orchestrator.dashboard.group.group_curves import BASELINE, BASELINE_MARK, JobCurve
from orchestrator.dashboard.ink import Line, cut, fitted, headed, padded
from orchestrator.dashboard.reading.snapshot import EventLine
from orchestrator.state.state import RunState
from orchestrator.views.budget.savings import kept, saving_line
from orchestrator.views.figures import figure, to_go
from orchestrator.views.plots.curves import Curve
from orchestrator.views.run.gaps import usage_lines
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.meters import meter_notes
from orchestrator.views.run.view import RunView
from orchestrator.views.words.question import question_lines
from orchestrator.views.words.said import resumed_lines, said_line

CHOSEN = "▸"
COLUMNS = (("state", 9), ("epoch", 6), ("best", 6), ("hours", 5), ("use", 4), ("at", 3))
"""Behind the name; those that do not fit are left out, from the last. `at` is the epoch of the
best value."""
OF_HOW_MANY = re.compile(r" \(\d+ of \d+\)")
"""What stands behind "fold 2"."""
LEAST_NAME = 7
LEAST_MS = HOUR_MS // 10
"""Less than this says nothing about an hour."""
NAME = 11
"""Cells of the names of facts."""

TONES = {"good": "good", "attention": "attention", "bad": "bad"}

Fact = tuple[str, str]


def fold_lines(
    run: RunState,
    view: RunView,
    curves: Sequence[JobCurve],
    chosen: str,
    width: int,
    baseline: Curve | None = None,
    beside: Beside | None = None,
) -> tuple[Line, ...]:
    """A line for each job of the group, under a head; then the mean of what it is compared with."""
    shown = _columns(width)
    name_cells = width - 4 - sum(cells + 1 for _, cells in shown)
    heads = "".join(f" {padded(name, cells, right=True)}" for name, cells in shown)
    lines: list[Line] = [(((" " * (4 + name_cells)), ""), (heads, "dim"))]
    for one in curves:
        row = view.row(one.job.id)
        cells = dict(zip(dict(COLUMNS), _cells(run, view, row, one), strict=True))
        here = one.job.id == chosen
        rest = "".join(
            f" {padded(cells[name], size, right=True)}" for name, size in shown if name != "state"
        )
        lines.append(
            (
                (f"{CHOSEN if here else ' '} ", "accent"),
                (one.mark, f"bold {one.style}"),
                (f" {padded(_name(row, name_cells), name_cells)}", "bold" if here else ""),
                *(
                    ((f" {padded(row.status, 9, right=True)}", _role(row.status)),)
                    if ("state", 9) in shown
                    else ()
                ),
                (rest, "" if here else "dim"),
            )
        )
    if baseline is not None and beside is not None and beside.baseline is not None:
        newest = baseline.points[-1]
        words = f"mean of {beside.baseline.name}: {figure(newest[1])} at epoch {newest[0]:.0f}"
        lines.append((("  ", ""), (BASELINE_MARK, f"bold {BASELINE}"), (f" {words}", "dim")))
    return tuple(fitted(line, width) for line in lines)


def _name(row: JobRow, cells: int) -> str:
    """Without what all of them have, where that has no room: "fold 0" of "fold 0 (1 of 5)",
    "lr=0.1" of "train.lr=0.1"."""
    if len(row.title) <= cells:
        return row.title
    return row.title.partition(" (")[0].removeprefix(f"{row.group}.")


def _columns(width: int) -> list[tuple[str, int]]:
    shown = list(COLUMNS)
    while shown and width - 4 - sum(cells + 1 for _, cells in shown) < LEAST_NAME:
        shown.pop()
    return shown


def _cells(run: RunState, view: RunView, row: JobRow, one: JobCurve) -> tuple[str, ...]:
    best, attempt = one.best, run.current(one.job.id)
    used_ms = row.used_ms
    metered = attempt.metered if attempt is not None else None
    use = metered.utilisation if metered is not None else None
    return (
        row.status,
        f"{row.epoch or 0}/{row.epochs}" if row.epochs else "",
        figure(best[1]) if best else "",
        _amount(used_ms, view) if used_ms else "",
        f"{use:.0%}" if use is not None else "–" if one.job.devices and attempt else "",
        f"{best[0]:.0f}" if best else "",
    )


def _amount(ms: int, view: RunView) -> str:
    return format_amount(ms, view.amounts_in).split()[0]


def _role(status: str) -> str:
    if status in ("running", "starting"):
        return "good"
    if status == "failed":
        return "bad"
    return (
        "accent" if status in ("done", "reused") else "attention" if status != "waiting" else "dim"
    )


def facts_of(
    run: RunState,
    view: RunView,
    row: JobRow,
    curves: Sequence[JobCurve],
    beside: Beside | None,
    now_ms: int,
) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """(title, facts): of the chosen job, then of its run. What is not known is left out."""
    sections = (
        (row.title, tuple(_of_job(run, view, row))),
        ("costs", tuple(_costs(run, view, curves, beside))),
        ("stop rules", tuple(_verdicts(run, view, now_ms))),
        ("compared with", tuple(_recipe(beside))),
    )
    return tuple((title, facts) for title, facts in sections if facts)


def _of_job(run: RunState, view: RunView, row: JobRow) -> Iterator[Fact]:
    lane = f"{row.lane}, simulated device" if view.simulated and row.lane != "cpu" else row.lane
    yield "state", f"{row.status} · {lane}"
    if row.why:
        yield "why", row.why
    if row.error:
        yield from (
            (name, row.error[name]) for name in ("what", "where", "got") if name in row.error
        )
    yield from (("said", note) for note in row.notes[:4])
    remark = run.jobs[row.id].remark
    if remark:
        yield "how", remark
    if row.counted:
        yield "progress", row.counted
    if row.value is not None:
        yield (
            row.metric,
            f"{figure(row.value)} now"
            + (f", best {figure(row.best)}" if row.best is not None else ""),
        )
    if row.eta is not None:
        yield "to go", to_go(row.eta)
    if row.wall_ms is not None:
        tries = len(run.jobs[row.id].attempts)
        yield "time", format_clock(row.wall_ms) + (f" in {tries} attempts" if tries > 1 else "")
    if row.log:
        yield "log", f"skint logs {run.name} --job {row.id}"


def _costs(
    run: RunState, view: RunView, curves: Sequence[JobCurve], beside: Beside | None
) -> Iterator[Fact]:
    unit = view.amounts_in
    charged_ms = sum(beside.charged.values()) if beside is not None else view.charged_ms
    if charged_ms:
        yield "charged", f"{format_amount(charged_ms, unit)} for the run, by the ledger"
    if view.in_flight_ms:
        yield "in flight", format_amount(view.in_flight_ms, unit)
    spent_ms = view.used_ms
    scores = [one.best[1] for one in curves if one.best is not None]
    if spent_ms >= LEAST_MS and scores and unit != "credit":
        yield (
            "per hour",
            f"{figure(fmean(scores) / (spent_ms / HOUR_MS))} {view.metric} an accelerator hour",
        )
    yield from ((name, text) for name, text in usage_lines(run))
    yield from (("idle", note) for note in meter_notes(run))
    yield from (("saved", saving_line(saving)) for saving in kept(view.savings))


def _verdicts(run: RunState, view: RunView, now_ms: int) -> Iterator[Fact]:
    yield from (("asks", line) for line in question_lines(run, now_ms))
    yield from (("said", said_line(said)) for said in view.verdicts if not said.open)
    yield from (("resumed", line) for line in resumed_lines(run))


def _recipe(beside: Beside | None) -> Iterator[Fact]:
    if beside is None or not beside.compared:
        return
    yield "baseline", beside.compared
    if beside.baseline is not None and not beside.differs:
        yield "differs", "in nothing that is known"
    for number, words in enumerate(beside.differs):
        yield "differs" if not number else "", words


def fact_lines(sections: Sequence[tuple[str, Sequence[Fact]]], width: int) -> tuple[Line, ...]:
    """Sections under rules; sentences are folded beside their names."""
    lines: list[Line] = []
    for title, facts in sections:
        lines.append(headed(title, width))
        for name, sentence in facts:
            room = max(12, width - NAME - 2)
            folded = textwrap.wrap(sentence, room, break_on_hyphens=False) or [""]
            for number, text in enumerate(folded):
                head = padded(cut(name, NAME) if not number else "", NAME)
                lines.append(((f" {head} ", "dim"), (text, "")))
    return tuple(lines)


def event_lines(events: Sequence[EventLine], width: int, zone: tzinfo | None) -> tuple[Line, ...]:
    """A line for each, newest last, with the day where there are several. In little room a fold is
    not told with the number of folds, which stands in another pane; what is longer is cut."""
    at = [datetime.fromtimestamp(one.at_ms / 1000, tz=UTC).astimezone(zone) for one in events]
    clock = "%a %H:%M:%S  " if len({one.date() for one in at}) > 1 else "%H:%M:%S  "
    return tuple(
        fitted(((head, "dim"), (_short(one.text, width - len(head)), tone)), width)
        for one, when in zip(events, at, strict=True)
        for head, tone in ((f"{when:{clock}}", TONES.get(one.tone, "")),)
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else OF_HOW_MANY.sub("", text)
