"""`skint queue --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.hold import Hold, hold_shape
from orchestrator.shapes.shape import instant, shape
from orchestrator.views.queue import Queue as View
from orchestrator.views.queue import QueueRow


@shape
class Job:
    run: str
    job: str
    title: str
    """For people: "fold 0 (1 of 3)"."""
    lane: str
    """cpu or accelerator."""
    account: str | None
    """What it is charged to; null for CPU work."""
    status: str
    """waiting, paused, reserving, starting, running, unreachable, stopping or parking."""
    devices: int
    low_ms: int
    likely_ms: int
    high_ms: int
    """How long it will probably still run, in wall time."""
    known: bool
    """False where nothing like it was measured: then its limit is said."""
    start: str | None
    """When it started, or will probably start; null where nobody can tell."""
    start_known: bool
    """False: at the latest then."""
    reason: str
    """The code of the reason why it waits; empty for what runs."""
    why: str


@shape
class Queue:
    SCHEMA: ClassVar[str] = "queue/1"

    at: str
    scheduler_pid: int | None
    """null where none runs."""
    running: int
    waiting: int
    holds: tuple[Hold, ...]
    jobs: tuple[Job, ...]
    """In the order in which they will start; all of them."""


def queue_shape(view: View, now_ms: int, pid: int | None) -> Queue:
    return Queue(
        at=instant(now_ms),
        scheduler_pid=pid,
        running=view.running,
        waiting=view.waiting,
        holds=tuple(map(hold_shape, view.holds)),
        jobs=tuple(map(_job, view.rows)),
    )


def _job(row: QueueRow) -> Job:
    return Job(
        run=row.run,
        job=row.job,
        title=row.title,
        lane=row.lane,
        account=row.account,
        status=row.status,
        devices=row.devices,
        low_ms=row.low_ms,
        likely_ms=row.likely_ms,
        high_ms=row.high_ms,
        known=row.known,
        start=instant(row.start_ms),
        start_known=row.start_known,
        reason=row.reason,
        why=row.why,
    )
