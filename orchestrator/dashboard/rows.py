"""The lines of the jobs table as text, for a width: pure, and without textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from budget.amount import format_amount
from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS, format_clock
from orchestrator.views.glyphs import bar, sparkline
from orchestrator.views.training import Eta
from orchestrator.views.view import JobRow, RunView

GAP = 2
"""Blank cells between two columns: one on either side of each."""
OPEN, SHUT = "▾", "▸"
RESTS = ("queued", "waiting", "done", "failed", "cancelled")
"""States of a run in which its jobs are folded away until somebody asks."""


@dataclass(frozen=True)
class Widths:
    """Cells of each column; 0 leaves a column out."""

    job: int
    state: int
    epoch: int
    to_go: int
    hours: int
    score: int
    curve: int

    @classmethod
    def fitting(cls, width: int) -> Widths:
        """Columns for a table `width` cells wide: all of them from 80, names and curves from 98."""
        fixed = {"state": 11, "epoch": 14, "to_go": 10, "hours": 5, "score": 14, "curve": 10}
        if width < 98:
            fixed |= {"epoch": 10, "score": 5, "curve": 5}
        spare = width - 1 - sum(fixed.values()) - GAP * 7  # 1: the scroll bar
        job = max(17, min(spare, 36))
        curve = min(fixed["curve"] + max(0, spare - job), 30)
        return cls(job=job, **(fixed | {"curve": curve}))

    @property
    def wide(self) -> bool:
        return self.score > 5


@dataclass(frozen=True)
class Line:
    """One line: a run, or a job of it (`job` is empty for the run itself)."""

    run: str
    job: str
    state: str
    cells: tuple[str, ...]
    """In the order of the fields of `Widths`."""

    @property
    def key(self) -> str:
        return f"{self.run}/{self.job}"


HEADS = ("run / job", "state", "epoch", "to go", "hours", "score", "curve")


def lines_of(
    views: Sequence[RunView], unfolded: Mapping[str, bool], widths: Widths
) -> tuple[Line, ...]:
    """A line for each run, and for its jobs where the run is unfolded (`is_unfolded`)."""
    found = []
    for view in views:
        opened = is_unfolded(view, unfolded)
        found.append(_run_line(view, opened, widths))
        if opened:
            found += [_job_line(view, row, widths) for row in view.rows if _is_shown(view, row)]
    return tuple(found)


def is_unfolded(view: RunView, unfolded: Mapping[str, bool]) -> bool:
    """What a person chose in `unfolded`, else whether something of the run goes on."""
    return unfolded.get(view.name, view.status not in RESTS)


def about(view: RunView, job: str) -> str:
    """One sentence on a run, or on a job of it: for what no column has room."""
    if not job:
        parts = [view.name, view.sentence, _credits(view.charged_ms + view.in_flight_ms, view)]
        return " · ".join(part for part in parts if part)
    row = view.row(job)
    used = _credits(row.charged_ms + row.in_flight_ms, view)
    parts = [row.title, row.counted, row.why or row.note, used]
    if not row.why and row.wall_ms is not None:
        parts.append(f"{'ran' if row.ended else 'runs'} for {format_clock(row.wall_ms)}")
    if row.best is not None:
        parts.append(f"best {row.metric} {row.best:.4f}")
    return " · ".join(part for part in parts if part)


def _credits(ms: int, view: RunView) -> str:
    """The column is too narrow for the word."""
    if not ms or view.amounts_in != "credit":
        return ""
    return f"{format_amount(ms, view.amounts_in)} charged"


def to_go(eta: Eta | None) -> str:
    """`4 min 05 s`, or a range where epochs differ too much for one figure; 10 cells at most."""
    if eta is None:
        return ""
    if eta.high_ms - eta.low_ms <= max(eta.likely_ms // 4, SECOND_MS):
        minutes = eta.likely_ms // MINUTE_MS
        return f"{minutes} min" if 10 <= minutes < 60 else format_clock(eta.likely_ms)
    unit_ms, name = next(
        (unit for unit in ((HOUR_MS, "h"), (MINUTE_MS, "min")) if eta.high_ms >= 2 * unit[0]),
        (SECOND_MS, "s"),
    )
    digits = 1 if eta.high_ms < 10 * unit_ms and name == "h" else 0
    low, high = (f"{ms / unit_ms:.{digits}f}" for ms in (eta.low_ms, eta.high_ms))
    return f"{low}–{high} {name}" if low != high else f"{low} {name}"


def _is_shown(view: RunView, row: JobRow) -> bool:
    """CPU work that is over makes room while the run goes on."""
    return bool(view.ended_ms) or row.lane == "accelerator" or row.status not in ("done", "reused")


def _run_line(view: RunView, opened: bool, widths: Widths) -> Line:
    mean = "" if view.mean is None else f"{view.mean:.3f}"
    if mean and view.spread is not None and widths.wide:
        mean += f" ±{view.spread:.3f}"
    cells = (
        _cut(f"{OPEN if opened else SHUT} {view.name}", widths.job),
        view.status,
        _folds(view, widths.epoch),
        to_go(view.eta),
        _used(view.charged_ms + view.in_flight_ms, view),
        mean,
        _cut("simulated" if widths.wide else "sim.", widths.curve) if view.simulated else "",
    )
    return Line(view.name, "", view.status, cells)


def _folds(view: RunView, width: int) -> str:
    counted = f"{view.folds_done}/{view.folds}" if view.folds else ""
    with_word = (
        f"{counted} {'folds' if any(r.fold is not None for r in view.fold_rows) else 'jobs'}"
    )
    return with_word if counted and len(with_word) <= width else counted


def _job_line(view: RunView, row: JobRow, widths: Widths) -> Line:
    name = row.title if len(row.title) <= widths.job - 2 else row.id
    value = "" if row.value is None else f"{row.value:.3f}"
    if value and widths.wide:
        value = _cut(f"{value} {row.metric}", widths.score)
    cells = (
        _cut(f"  {name}", widths.job),
        row.status,
        _advance(row, widths.epoch),
        to_go(row.eta),
        _used(row.charged_ms + row.in_flight_ms, view),
        value,
        _curve(row.history, widths.curve),
    )
    return Line(view.name, row.id, row.status, cells)


def _advance(row: JobRow, width: int) -> str:
    if row.epochs:
        counted = f"{row.epoch or 0}/{row.epochs}"
    elif row.progress is not None and not row.ended:
        counted = f"{row.progress:.0%}"
    else:
        return ""
    share = row.progress or 0.0
    cells = min(8, width - len("12/12") - 1)
    return _cut(f"{bar(share, cells)} {counted}", width)


def _curve(history: Sequence[float], width: int) -> str:
    """All of the history, thinned out to `width` values; the first and the newest stay."""
    last = len(history) - 1
    if last < width:
        return sparkline(history)
    return sparkline([history[round(at * last / (width - 1))] for at in range(width)])


def _used(ms: int, view: RunView) -> str:
    """Hours, or credits: "1.50", "1.50c", "12.5c", "125c"."""
    if not ms:
        return ""
    if view.amounts_in != "credit":
        return format_amount(ms, view.amounts_in).split()[0]
    digits = 2 if ms < 10 * HOUR_MS else 1 if ms < 100 * HOUR_MS else 0
    return f"{ms / HOUR_MS:.{digits}f}c"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
