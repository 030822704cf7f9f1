"""The lines of the jobs table for a width: pure, and without textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS, format_clock
from budget.meters.log import IDLE_BELOW
from orchestrator.dashboard.budget.budget_bars import amount_of
from orchestrator.dashboard.ink import MORE, Line, Piece, cut, padded
from orchestrator.dashboard.jobs.columns import Widths
from orchestrator.views.plots.glyphs import bar, sparkline
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.training import Eta
from orchestrator.views.run.view import RunView

if TYPE_CHECKING:
    from orchestrator.views.budget.ahead import Ahead

OPEN, SHUT = "▾", "▸"
RESTS = ("queued", "waiting", "paused", "done", "failed", "stopped", "cancelled")
"""States of a run in which its jobs are folded away until somebody asks."""
SHOWN_FIRST = {"running": 0, "failed": 1}
STANDS_STILL, BADLY = ("queued", "waiting", "paused"), ("failed", "stopped", "cancelled")
MOST_WAITING = 12
"""Of one run so many waiting jobs have a line; the others are counted."""
COLOURS = {
    "running": "good",
    "starting": "good",
    "done": "accent",
    "reused": "accent",
    "failed": "bad",
    "unreachable": "attention",
    "stopping": "attention",
    "parking": "attention",
    "cancelled": "attention",
    "stopped": "attention",
    "parked": "attention",
    "paused": "attention",
}
"""Of the state's word; the word itself is always there."""
TELLS_WHY = frozenset(
    {
        *("waiting", "reserving", "failed", "stopped", "skipped"),
        *("parked", "paused", "unreachable"),
    }
)
"""States in which the reason stands where others have their progress."""


@dataclass(frozen=True)
class TableLine:
    """One line: a run, or a job of it (`job` is empty for the run itself)."""

    run: str
    job: str
    state: str
    pieces: Line = ()
    more: bool = False
    """It only counts jobs that have no line."""

    @property
    def key(self) -> str:
        return f"{self.run}/{MORE if self.more else self.job}"


def lines_of(
    views: Sequence[RunView],
    unfolded: Mapping[str, bool],
    widths: Widths,
    *,
    expected: Mapping[tuple[str, str], Ahead] | None = None,
    uses: Mapping[tuple[str, str], float] | None = None,
    shown: Mapping[str, frozenset[str]] | None = None,
) -> tuple[TableLine, ...]:
    """A line for each run, and for its jobs where the run is unfolded (`is_unfolded`).

    `expected` says what waiting jobs will probably cost and `uses` how busy devices are, both by
    run and job; `shown` limits runs to some of their jobs, which are then shown.
    """
    found = []
    known = expected or {}
    for view in views:
        only = (shown or {}).get(view.name)
        opened = is_unfolded(view, unfolded) or only is not None
        found.append(_run_line(view, opened, widths, known))
        if not opened:
            continue
        rows = [row for row in view.rows if only is None or row.id in only]
        waiting = 0
        for row in rows:
            if only is None and not _is_shown(view, row):
                continue
            waiting += row.status == "waiting"
            if waiting <= MOST_WAITING or row.status != "waiting":
                use = (uses or {}).get((view.name, row.id))
                found.append(_job_line(view, row, widths, known.get((view.name, row.id)), use))
        if waiting > MOST_WAITING:
            text = f"    and {waiting - MOST_WAITING:,} more that wait"
            found.append(TableLine(view.name, "", "waiting", ((text, "dim"),), more=True))
    return tuple(found)


def is_unfolded(view: RunView, unfolded: Mapping[str, bool]) -> bool:
    """What a person chose in `unfolded`, else whether something of the run goes on."""
    return unfolded.get(view.name, view.status not in RESTS)


def worth_seeing(view: RunView) -> str:
    """The job that is shown first of a run: of its folds, where it has any, one that runs, else one
    that failed, else the first."""
    rows = view.fold_rows or view.rows
    ranked = sorted(rows, key=lambda row: SHOWN_FIRST.get(row.status, len(SHOWN_FIRST)))
    return ranked[0].id


def about(view: RunView, job: str) -> str:
    """One sentence on a run, or on a job of it: for what no column has room."""
    if not job:
        parts = [view.name, view.sentence, _credits(view.used_ms, view)]
        return " · ".join(part for part in parts if part)
    row = view.row(job)
    used = _credits(row.used_ms, view)
    parts = [row.title, row.counted, why_of(row) or row.note, used]
    if not row.why and row.wall_ms is not None:
        parts.append(f"{'ran' if row.ended else 'runs'} for {format_clock(row.wall_ms)}")
    if row.best is not None:
        parts.append(f"best {row.metric} {row.best:.4f}")
    return " · ".join(part for part in parts if part)


def why_of(row: JobRow) -> str:
    """Why it waits, or failed: with what was found, which is the error of a program."""
    got = (row.error or {}).get("got", "") if row.status == "failed" else ""
    return f"{row.why}: {got}" if got and got not in row.why else row.why


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


def _state(status: str, widths: Widths) -> Piece:
    colour = COLOURS.get(status)
    return f"{cut(status, widths.state):{widths.state}} ", f"bold {colour}" if colour else "dim"


def _run_line(
    view: RunView, opened: bool, widths: Widths, expected: Mapping[tuple[str, str], Ahead]
) -> TableLine:
    name = padded(f"{OPEN if opened else SHUT} {view.name}", widths.job)
    pieces: list[Piece] = [(f"{name} ", "bold"), _state(view.status, widths)]
    used_ms = view.used_ms
    stands_still = view.status in STANDS_STILL and (view.mean is None or not used_ms)
    if stands_still or (view.status in BADLY and view.mean is None and not opened):
        # Most columns would be empty: what it costs, and why it does not go on, stand there.
        role = "bad" if view.status == "failed" else ""
        why = _why_it_rests(view, opened, expected)
        return TableLine(view.name, "", view.status, (*pieces, (cut(why, widths.rest), role)))
    mean = "" if view.mean is None else f"{view.mean:.3f}"
    if mean and view.spread is not None and widths.wide:
        mean += f" ±{view.spread:.3f}"
    cells = (
        padded(_folds(view, widths.epoch), widths.epoch),
        padded(to_go(view.eta), widths.to_go, right=True),
        padded(amount_of(used_ms, view.amounts_in) if used_ms else "", widths.hours, right=True),
        " " * widths.use,
        padded(mean, widths.score),
    )
    pieces.append((" ".join(cell for cell in cells if cell), "bold"))
    return TableLine(view.name, "", view.status, tuple(pieces))


def _why_it_rests(view: RunView, opened: bool, expected: Mapping[tuple[str, str], Ahead]) -> str:
    used_ms = view.used_ms
    used = f"{format_amount(used_ms, view.amounts_in)} used" if used_ms else ""
    ahead = [one for (run, _), one in expected.items() if run == view.name]
    counted = f"{view.folds_done}/{view.folds} {view.unit}" if view.folds else ""
    if view.status in BADLY:
        ahead, counted = [], ""
    parts = [used, _cost(ahead, view), counted, "" if opened else view.sentence]
    return " · ".join(part for part in parts if part)


def _folds(view: RunView, width: int) -> str:
    counted = f"{view.folds_done}/{view.folds}" if view.folds else ""
    with_word = f"{counted} {view.unit}"
    return with_word if counted and len(with_word) <= width else counted


def _cost(ahead: Sequence[Ahead], view: RunView) -> str:
    """ "~1.50 h", or "≤ 1.50 h" where nothing like it was ever measured."""
    if not ahead:
        return ""
    mark = "~" if all(one.measured for one in ahead) else "≤ "
    return f"{mark}{format_amount(sum(one.cost_ms for one in ahead), view.amounts_in)}"


def _job_line(
    view: RunView, row: JobRow, widths: Widths, ahead: Ahead | None, use: float | None
) -> TableLine:
    name = row.title if len(row.title) <= widths.job - 2 else row.id
    pieces: list[Piece] = [(f"{padded(f'  {name}', widths.job)} ", ""), _state(row.status, widths)]
    if row.status in TELLS_WHY and (row.why or row.status == "waiting"):
        used_ms = row.used_ms
        hours = f"{format_amount(used_ms, view.amounts_in)} used" if used_ms else ""
        parts = [hours or _cost([ahead] if ahead else [], view), why_of(row) or "its turn comes"]
        why = " · ".join(part for part in parts if part)
        role = "bad" if row.status == "failed" else "dim" if row.status == "waiting" else ""
        pieces.append((cut(why, widths.rest), role))
        return TableLine(view.name, row.id, row.status, tuple(pieces))
    value = "" if row.value is None else f"{row.value:.3f}"
    if value and widths.wide:
        value = f"{value} {row.metric}"
    used_ms = row.used_ms
    hours = amount_of(used_ms, view.amounts_in) if used_ms else ""
    live = row.status == "running"
    pieces += [
        (f"{padded(_advance(row, widths.epoch), widths.epoch)} ", "good" if live else "dim"),
        (f"{padded(to_go(row.eta), widths.to_go, right=True)} ", ""),
        (f"{padded(hours, widths.hours, right=True)} ", ""),
    ]
    if widths.use:
        shown = "" if use is None or not live else f"{use:.0%}"
        low = use is not None and use < IDLE_BELOW
        pieces.append((f"{padded(shown, widths.use, right=True)} ", "attention" if low else ""))
    pieces.append((f"{padded(value, widths.score)} ", ""))
    pieces.append((_curve(row.history, widths.curve), "accent"))
    return TableLine(view.name, row.id, row.status, tuple(pieces))


def _advance(row: JobRow, width: int) -> str:
    if row.epochs:
        counted = f"{row.epoch or 0}/{row.epochs}"
    elif row.progress is not None and not row.ended:
        counted = f"{row.progress:.0%}"
    else:
        return ""
    share = row.progress or 0.0
    cells = min(8, width - len("12/12") - 1)
    return cut(f"{bar(share, cells)} {counted}", width)


def _curve(history: Sequence[float], width: int) -> str:
    """All of the history, thinned out to `width` values; the first and the newest stay."""
    last = len(history) - 1
    if width < 2:
        return ""
    if last < width:
        return sparkline(history)
    return sparkline([history[round(at * last / (width - 1))] for at in range(width)])
