"""What meters read becomes events: few, and an alert where a device is kept for CPU work."""

from __future__ import annotations

from collections.abc import Iterator

from budget.duration import format_clock
from budget.meters.log import IDLE_BELOW, TOLD_EVERY_S, Metered
from orchestrator.events import events as e
from orchestrator.state.attempt_state import AttemptState


def told(run: str, attempt: AttemptState, metered: Metered, now_ms: int) -> Iterator[e.Event]:
    """Figures of an attempt that are worth keeping: at its end, now and then, and for the alert.

    An attempt that was over before two readings of it were taken has none.
    """
    if not metered.covered_s or metered == attempt.metered:
        return
    last_ms = attempt.metered.at_ms if attempt.metered else attempt.started_ms or metered.at_ms
    due = not 0 <= metered.at_ms - last_ms < TOLD_EVERY_S * 1000
    alert = metered.worth_an_alert and not attempt.kept_idle
    if due or alert or not attempt.live:
        yield e.AttemptMetered(at_ms=now_ms, run=run, attempt=attempt.id, metered=metered.to_json())
    if alert:
        sentence = _sentence(attempt, metered)
        yield e.KeptIdle(at_ms=now_ms, run=run, attempt=attempt.id, sentence=sentence)


def _sentence(attempt: AttemptState, metered: Metered) -> str:
    kept_ms = max(0, metered.at_ms - (attempt.started_ms or metered.at_ms))
    idle = format_clock(round((metered.idle_s or 0) * 1000))
    cores = ""
    if metered.cpu_s is not None and kept_ms:
        cores = f" ({metered.cpu_s / (kept_ms / 1000):.1f} cores busy)"
    return (
        f"it has kept {', '.join(attempt.devices)} for {format_clock(kept_ms)}, {idle} of it idle"
        f" (below {IDLE_BELOW:.0%}): your quota is paying for CPU work{cores}"
    )
