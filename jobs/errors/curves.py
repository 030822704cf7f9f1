"""Learning curves of all folds as SVG, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import skint
from jobs.better.choice import find_kept
from jobs.errors.out_of_fold import fold_of
from skint.table import read_rows

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito, 2008: told apart with every kind of colour vision."""
DASHES = ("none", "7 3", "2 3", "9 3 2 3")
WIDTH, HEIGHT = 440, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 64, 12, 34


@dataclass(frozen=True)
class Curve:
    """One metric of one fold: `points` are (epoch, value), finite values only."""

    fold: int
    metric: str
    points: tuple[tuple[float, float], ...]
    label: str = ""
    """What is drawn at its end where it is not of a fold."""

    @property
    def name(self) -> str:
        return self.label or f"fold {self.fold}"


def read_curves(ctx: skint.Context, metrics: Sequence[str]) -> list[Curve]:
    """The curves in every `metrics.csv` beside a `predictions.npz`; none where there is none."""
    curves = []
    for predictions in find_kept(ctx, "predictions.npz"):
        file = predictions.with_name("metrics.csv")
        if not file.is_file():
            continue
        rows = list(read_rows(file, ("epoch",)))
        for metric in metrics:
            points = tuple(_points(rows, metric))
            if points:
                curves.append(Curve(fold_of(ctx, file), metric, points))
    return curves


def draw(curves: Sequence[Curve], metric: str) -> str:
    """An SVG element with the curves of one metric, one line a fold, named at its end."""
    shown = [curve for curve in curves if curve.metric == metric]
    values = [value for curve in shown for _epoch, value in curve.points]
    epochs = [epoch for curve in shown for epoch, _value in curve.points]
    low, high, step = _nice(min(values), max(values))
    first, last = min(epochs), max(max(epochs), min(epochs) + 1)

    def x(epoch: float) -> float:
        return round(_LEFT + (epoch - first) / (last - first) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    parts = []
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        height = y(value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{height}" y2="{height}" class="grid"/>'
            f'<text x="{_LEFT - 6}" y="{height + 4}" text-anchor="end">{value:.3g}</text>'
        )
    every = max(1, math.ceil((last - first) / 8))
    for epoch in range(int(first), int(last) + 1, every):
        parts.append(f'<text x="{x(epoch)}" y="{HEIGHT - 16}" text-anchor="middle">{epoch}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 2}" text-anchor="middle">epoch</text>')
    label_at = _apart([y(curve.points[-1][1]) for curve in shown])
    for curve, label_y in zip(shown, label_at, strict=True):
        colour, dash = COLOURS[curve.fold % len(COLOURS)], DASHES[curve.fold % len(DASHES)]
        path = " ".join(f"{x(epoch)},{y(value)}" for epoch, value in curve.points)
        end = x(curve.points[-1][0])
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dash}"/>'
            f'<text x="{end + 5}" y="{label_y + 4}" style="fill:{colour}">'
            f"{escape(curve.name)}</text>"
        )
    ends = ", ".join(f"{curve.name} {curve.points[-1][1]:.3f}" for curve in shown)
    title = escape(f"{metric} by epoch; at the end: {ends}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _points(rows: Sequence[dict[str, str]], metric: str) -> list[tuple[float, float]]:
    points = []
    for row in rows:
        try:
            epoch, value = float(row["epoch"]), float(row.get(metric, ""))
        except ValueError:  # an empty cell: the epoch did not measure it
            continue
        if math.isfinite(value):
            points.append((epoch, value))
    return points


def _nice(low: float, high: float) -> tuple[float, float, float]:
    """An axis from below `low` to above `high` in three to six round steps."""
    span = max(high - low, 1e-6, abs(high) * 1e-6)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 5)
    bottom = math.floor(low / step) * step
    top = math.ceil(high / step) * step
    return bottom, max(top, bottom + step), step


def _apart(heights: Sequence[float], gap: float = 12) -> list[float]:
    """Heights of labels, moved down where they would cover each other."""
    moved = list(heights)
    previous = -math.inf
    for number in sorted(range(len(heights)), key=lambda number: heights[number]):
        moved[number] = previous = max(heights[number], previous + gap)
    return moved
