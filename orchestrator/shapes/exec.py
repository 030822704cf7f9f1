"""What `skint exec --json` answers: how a program ended, or that it was begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from orchestrator.shapes.shape import instant, shape
from orchestrator.state.state import RunState

if TYPE_CHECKING:
    from orchestrator.programs.room import Room


@shape
class Exec:
    SCHEMA: ClassVar[str] = "exec/1"

    run: str
    program: tuple[str, ...]
    """The program and its arguments."""
    status: str
    """waiting or running (with --detach), done, failed or stopped."""
    exit_code: int | None
    """What `skint exec` ends with; null with --detach."""
    ended_by: str | None
    """program: the exit code is its own, whatever it means there. skint: it was stopped, parked
    for good or lost, and the code is one of skint's; null with --detach."""
    sentence: str
    """How it ended, or why it waits; empty where there is nothing to say."""
    account: str | None
    unit: str
    """What the amounts count: device, session or credit."""
    reserved_ms: int
    charged_ms: int
    submitted: str
    ended: str | None
    log: str
    """The log file of its newest attempt; empty where there is none yet."""


def exec_shape(
    run: RunState, exit_code: int | None, room: Room | None, ended_by: str | None
) -> Exec:
    (job,) = run.graph.jobs
    known, attempt = run.jobs[job.id], run.current(job.id)
    return Exec(
        run=run.name,
        program=job.argv,
        status=known.status,
        exit_code=exit_code,
        ended_by=ended_by,
        sentence=known.sentence,
        account=run.graph.account,
        unit=room.account.unit if room else "device",
        reserved_ms=room.reserve_ms if room else 0,
        charged_ms=sum(one.charged_ms for one in run.allocations.values()),
        submitted=instant(run.submitted_ms),
        ended=instant(run.ended_ms),
        log=f"{attempt.folder}/log.txt" if attempt else "",
    )
