"""Jobs that are cut at an edge and finish their epoch first are asked in good time."""

from __future__ import annotations

from collections.abc import Iterator

from budget.duration import format_clock
from budget.forecasts.edge import ask as ask_at
from orchestrator.events import events as e
from orchestrator.scheduler.accelerator_lane.pieces import epoch_ms
from orchestrator.state.state import RunState

EDGE = "edge"
"""The reason code of such a stop."""


def ask(run: RunState, attempt: str, now_ms: int) -> Iterator[e.Event]:
    """The request to stop at the end of this epoch, once, when the next one would not fit.

    Everything else at an edge is the shim's: it holds the limit of the attempt, whoever is alive.
    """
    known = run.attempts[attempt]
    job = run.graph.job(known.job)
    if not known.edge or job.at_edge != "finish-epoch" or known.started_ms is None:
        return
    if known.limit_s is None or run.stop_of(job) is not None:
        return
    durations, last_ms = epoch_ms(known)
    due = ask_at(
        job.at_edge,
        limit_end_ms=known.started_ms + round(known.limit_s * 1000),
        last_epoch_end_ms=last_ms or known.started_ms,
        epoch_ms=durations,
    )
    if due is None or due.how != "epoch" or now_ms < due.at_ms:
        return
    left = format_clock(max(0, known.started_ms + round(known.limit_s * 1000) - now_ms))
    yield e.StopAsked(
        at_ms=now_ms,
        run=run.name,
        scope="attempt",
        target=attempt,
        how="epoch",
        then="requeue",
        reason=EDGE,
        sentence=f"{left} are left before the end of its {known.edge}: no epoch after this one",
        by="edge",
        attempts=(attempt,),
    )
