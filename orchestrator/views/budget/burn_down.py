"""How the hours of a limit are used up, as a plot over time: what was spent, what is committed,
what is to be expected until they come back, and what is allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.forecasts.dry import mean_rate_milli
from budget.ledger.balance import LimitBalance
from orchestrator.views.budget.ahead import Dry
from orchestrator.views.plots.axes import AXIS, Frame, draw_below, draw_left, ticks
from orchestrator.views.plots.canvas import Canvas, Piece
from orchestrator.views.plots.curves import namer

if TYPE_CHECKING:
    from orchestrator.forecasts.forecasting import Queue

LEAST_WIDTH, LEAST_HEIGHT = 30, 6
AIR = 1.08
"""The plot goes so far above what is allowed, or expected."""
STEPS_MS = tuple(
    [HOUR_MS * hours for hours in (1, 3, 6, 12)] + [DAY_MS * days for days in (1, 2, 7, 14, 28)]
)
TICK_CELLS = 9
ALLOWED, PACE, RANGE, LIKELY, NOW = "allowed", "pace", "range", "likely", "now"


@dataclass(frozen=True)
class Burn:
    """One limit over the time from `start_ms` to `end_ms`."""

    limit: LimitBalance
    now_ms: int
    start_ms: int
    end_ms: int
    used: tuple[tuple[int, int], ...]
    """(instant, used by then), ascending, to now."""
    committed: tuple[tuple[int, int], ...] = ()
    """The same from now on, if all that is reserved is used up to its deadline."""
    expected: Queue | None = None
    """What runs and waits; None where nothing does."""
    dry: Dry | None = None

    @property
    def used_ms(self) -> int:
        """By now."""
        return self.used[-1][1] if self.used else 0

    @property
    def resets(self) -> bool:
        """Hours come back at one instant, and not bit by bit or never."""
        return self.limit.next_gain_ms is not None and self.limit.limit.window.kind != "rolling"


def drawn(
    burn: Burn, width: int, height: int, zone: tzinfo | None
) -> tuple[tuple[Piece, ...], ...]:
    """The plot in `width` x `height` cells; empty where there is no room."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT or burn.end_ms <= burn.start_ms:
        return ()
    unlimited = burn.limit.limit.unlimited
    ahead_ms = burn.expected.high_ms if burn.expected else 0
    committed_ms = burn.committed[-1][1] if burn.committed else 0
    tops = [burn.used_ms + ahead_ms, committed_ms, HOUR_MS if unlimited else burn.limit.amount_ms]
    high = max(tops) * AIR / HOUR_MS
    marks = ticks(0.0, high, max(2, (height - 2) // 3))
    names = namer(marks)
    left = max((len(names(mark)) for mark in marks), default=0) + 1
    canvas = Canvas(width, height)
    frame = Frame(left, width - left, height - 2, burn.start_ms, burn.end_ms, 0.0, high)
    draw_left(canvas, frame, marks, names)
    draw_below(canvas, frame, [*_days(burn, frame.width, zone)])
    if not unlimited:
        _line(canvas, frame, _pace(burn), PACE, every=6)
        amount_ms = burn.limit.amount_ms
        _line(canvas, frame, ((burn.start_ms, amount_ms), (burn.end_ms, amount_ms)), ALLOWED)
    _ahead(canvas, frame, burn)
    _line(canvas, frame, burn.committed, "reserved", every=2)
    _line(canvas, frame, burn.used, "settled")
    _now_and_dry(canvas, frame, burn)
    return canvas.lines()


def _pace(burn: Burn) -> tuple[tuple[int, int], ...]:
    """As much each hour, so that all is used when hours come back."""
    if not burn.resets:
        return ()
    return ((burn.start_ms, 0), (burn.end_ms, burn.limit.amount_ms))


def _ahead(canvas: Canvas, frame: Frame, burn: Burn) -> None:
    if burn.expected is None:
        rate_milli = mean_rate_milli(burn.limit, burn.now_ms)
        then_ms = burn.used_ms + rate_milli * (burn.end_ms - burn.now_ms) // 1_000
        if rate_milli:
            line = ((burn.now_ms, burn.used_ms), (burn.end_ms, then_ms))
            _line(canvas, frame, line, LIKELY, every=3)
        return
    ends_ms = min(burn.end_ms, burn.now_ms + max(burn.expected.wall_ms, MINUTE_MS))
    for more_ms, style, every in (
        (burn.expected.low_ms, RANGE, 3),
        (burn.expected.high_ms, RANGE, 3),
        (burn.expected.likely_ms, LIKELY, 1),
    ):
        then_ms = burn.used_ms + more_ms
        path = ((burn.now_ms, burn.used_ms), (ends_ms, then_ms), (burn.end_ms, then_ms))
        _line(canvas, frame, path, style, every=every)


def _line(
    canvas: Canvas, frame: Frame, points: Sequence[tuple[int, int]], style: str, *, every: int = 1
) -> None:
    dots = [frame.dot(at_ms, amount_ms / HOUR_MS) for at_ms, amount_ms in points]
    for start, end in pairwise(dots):
        canvas.line(start, end, style, every=every)


def _now_and_dry(canvas: Canvas, frame: Frame, burn: Burn) -> None:
    column, row = frame.cell(burn.now_ms, burn.used_ms / HOUR_MS)
    canvas.write(column, row, "●", NOW)
    dry_ms = burn.dry.at_ms if burn.dry is not None else None
    if dry_ms is not None and burn.start_ms <= dry_ms <= burn.end_ms:
        column, row = frame.cell(dry_ms, burn.limit.amount_ms / HOUR_MS)
        canvas.write(column, row, "▼", "dry")
    if burn.resets:
        canvas.write(canvas.width - 1, frame.height, "┘", AXIS)


def _days(burn: Burn, width: int, zone: tzinfo | None) -> Iterator[tuple[float, str]]:
    """Instants of whole days or hours of the person's clock, with their names."""
    most = max(2, width // TICK_CELLS)
    span_ms = burn.end_ms - burn.start_ms
    step_ms = next((step for step in STEPS_MS if span_ms / step <= most), STEPS_MS[-1])
    first = datetime.fromtimestamp(burn.start_ms / 1000, tz=UTC).astimezone(zone)
    offset = first.utcoffset()
    offset_ms = round(offset.total_seconds() * 1000) if offset else 0
    at_ms = -(-(burn.start_ms + offset_ms) // step_ms) * step_ms - offset_ms
    while at_ms <= burn.end_ms:
        at = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(zone)
        yield at_ms, f"{at:%H:%M}" if step_ms < DAY_MS and at.hour else f"{at:%a %d}"
        at_ms += step_ms
