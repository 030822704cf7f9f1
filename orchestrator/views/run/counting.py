"""How far a job has counted, how fast, and how long it will still take, in words. Pure."""

from __future__ import annotations

import math

from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS
from orchestrator.forecasts.pace import left_ms, per_s
from orchestrator.state.attempt_state import AttemptState


def counted(attempt: AttemptState, now_ms: int) -> str:
    """ "412 of 1,000 · 92/s · 6 s left"; what is not known is left out, empty if nothing is."""
    if attempt.progress is None or not attempt.live or attempt.progress[1] <= 0:
        return ""
    done, total = attempt.progress
    parts = [f"{_number(done)} of {_number(total)}"]
    pace, left = per_s(attempt.marks, now_ms), left_ms(attempt.marks, total, now_ms)
    if pace is not None and left is not None and done < total:
        parts += [_pace(pace), *([f"{_span(left)} left"] if left else [])]
    return " · ".join(parts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _pace(per_s: float) -> str:
    """In the unit in which it is at least one."""
    for each, unit in ((1, "s"), (60, "min")):
        if per_s * each >= 1:
            return f"{_figure(per_s * each)}/{unit}"
    return f"{_figure(per_s * 3600)}/h"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"


def _span(ms: int) -> str:
    if ms >= 2 * HOUR_MS:
        return f"{ms / HOUR_MS:.1f} h"
    if ms >= 2 * MINUTE_MS:
        return f"{math.ceil(ms / MINUTE_MS)} min"
    return f"{math.ceil(ms / SECOND_MS)} s"
