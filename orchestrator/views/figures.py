"""Numbers with their units, as messages and screens say them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS, format_clock

if TYPE_CHECKING:
    from orchestrator.views.run.training import Eta

_SHORT_MS = HOUR_MS // 10


def figure(value: float) -> str:
    """A metric: "0.871", "12.340", "1.2e-05", "nan", "-inf"."""
    if not math.isfinite(value) or value == 0 or 0.001 <= abs(value) < 1000:
        return f"{value:.3f}"
    return f"{value:.3g}"


def exact_figure(value: float) -> str:
    """The same with a digit more: "0.8713", "1.2e-05"."""
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 else figure(value)


def mean_and_spread(mean: float, spread: float | None) -> str:
    """ "0.904 ± 0.006"; the spread is a sample standard deviation."""
    return figure(mean) if spread is None else f"{figure(mean)} ± {figure(spread)}"


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
