"""Numbers with their units, as messages and screens say them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS, format_clock

if TYPE_CHECKING:
    from orchestrator.views.run.training import Eta

_SHORT_MS = HOUR_MS // 10


def figure(value: float) -> str:
    """A metric: "0.871", "12.34", "60", "1.23e-05", "nan", "-inf"."""
    return _alone(value, 3)


def exact_figure(value: float) -> str:
    """The same with a digit more: "0.8713", "12.340", "60", "1.23e-05"."""
    return _alone(value, 4)


def decimals_of(values: Iterable[float], most: int = 4) -> int:
    """Decimals of numbers that stand side by side: `most` below 10, one less for each digit more
    that the largest has before its point, and none that all of them can do without. Shares, which
    are at most 1, keep all."""
    known = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, known), default=0.0)
    if largest <= 1:
        return most
    decimals = _fitting(largest, most)
    while decimals and all(round(v, decimals) == round(v, decimals - 1) for v in known):
        decimals -= 1
    return decimals


def shown(value: float, decimals: int) -> str:
    """A number with so many decimals; one that is too small or large for them by its power."""
    if math.isfinite(value) and value and not 0.001 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"


def _alone(value: float, most: int) -> str:
    if not math.isfinite(value) or abs(value) <= 1:
        return shown(value, most)
    return shown(value, 0 if value == round(value) else _fitting(abs(value), most))


def _fitting(size: float, most: int) -> int:
    return max(0, most - math.floor(math.log10(size)))


def mean_and_spread(mean: float, spread: float | None) -> str:
    """ "0.904 ± 0.006"; the spread is a sample standard deviation."""
    if spread is None:
        return figure(mean)
    decimals = decimals_of((mean, spread), 3)
    return f"{shown(mean, decimals)} ± {shown(spread, decimals)}"


def amount(ms: int, unit: str = "device") -> str:
    """An amount of an account: credits, hours, or a clock for less than six minutes
    ("2 min 30 s")."""
    short = unit != "credit" and abs(ms) < _SHORT_MS
    return format_clock(ms) if short else format_amount(ms, unit)


def to_go(eta: Eta) -> str:
    """ "1.9 h to go (1.7–2.2)", "12 min to go", "40 s to go": in the unit of the likely time."""
    low, likely, high = (
        _in_unit(ms, eta.likely_ms) for ms in (eta.low_ms, eta.likely_ms, eta.high_ms)
    )
    if eta.likely_ms >= HOUR_MS:
        unit = "h"
    else:
        unit = "min" if eta.likely_ms >= MINUTE_MS else "s"
    between = f" ({low}–{high})" if low != high else ""
    return f"{likely} {unit} to go{between}"


def _in_unit(ms: int, of_ms: int) -> str:
    if of_ms >= HOUR_MS:
        return f"{ms / HOUR_MS:.1f}"
    return str(math.ceil(ms / (MINUTE_MS if of_ms >= MINUTE_MS else SECOND_MS)))
