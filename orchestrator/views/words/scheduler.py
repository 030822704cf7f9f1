"""Whether anybody looks after what is live, in words."""

from __future__ import annotations

from orchestrator.state.state import RunState


def scheduler_line(pid: int | None, live: list[RunState]) -> str:
    """Whether anybody looks after the live runs; without a scheduler nothing of them moves."""
    if pid is not None:
        return f"scheduler   runs, pid {pid}"
    attempts = sum(attempt.live for run in live for attempt in run.attempts.values())
    if attempts:
        return (
            f"scheduler   none runs; {'1 job goes' if attempts == 1 else f'{attempts} jobs go'} on"
            " without one · adopt with `skint scheduler start`, look once with `skint tick`"
        )
    if live:
        waiting = "1 run waits" if len(live) == 1 else f"{len(live)} runs wait"
        return f"scheduler   none runs; {waiting} for one · `skint scheduler start`"
    return "scheduler   none runs; `skint submit` starts one"
