"""Which buttons a message has, and what to type where none can be pressed. Pure.

What a button carries is made in `orchestrator.presses.press`; before it counts, a dialog states the
hours that were spent and those that would come back.
"""

from __future__ import annotations

from collections.abc import Sequence

from notifiers.base import Button
from orchestrator.events.verdict import VerdictGiven
from orchestrator.graph import Job
from orchestrator.presses.press import press_of
from orchestrator.resuming.resumption import is_resumable
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import freed_ms
from orchestrator.views.figures import amount
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView

MOST_FOLDS = 4
"""That a head offers to abort at once; more run on large servers only, and `skint abort` knows
them."""

_RUNNING = ("starting", "running", "unreachable")


def of_head(run: RunState, view: RunView, now_ms: int) -> tuple[Button, ...]:
    """While the run lives: abort a fold that runs, abort the run. When it was stopped: resume."""
    if not run.live:
        return of_stopped_run(run, view)
    if any(stop.scope == "run" and stop.then == "end" for stop in run.stops):
        return ()
    folds = running_folds(view)[:MOST_FOLDS]
    return (
        *(_abort_fold(run, view, row, now_ms) for row in folds),
        _abort_run(run, view, now_ms),
    )


def typed_of_head(run: RunState, view: RunView) -> tuple[str, ...]:
    """The same as commands."""
    if not run.live:
        return (f"undo the stop with `skint resume {run.name}`",) if is_resumable(run) else ()
    folds = [row for row in running_folds(view) if row.fold is not None][:1]
    words = [f"skint abort {run.name} --fold {row.fold}" for row in folds]
    return (" · ".join([*words, f"skint cancel {run.name}"]),)


def of_question(
    run: RunState, view: RunView, asked: VerdictGiven, jobs: Sequence[Job], now_ms: int
) -> tuple[Button, ...]:
    stop = press_of(run, "stop", asked.target, asked.rule)
    go_on = press_of(run, "let-run", asked.target, asked.rule)
    return (
        Button("Stop now", stop.to_json(), "danger", _cost(run, view, jobs, now_ms)),
        Button("Let it run", go_on.to_json(), "primary"),
    )


def of_stopped_run(run: RunState, view: RunView) -> tuple[Button, ...]:
    if not is_resumable(run):
        return ()
    spent = _spent(view, view.rows)
    confirm = (
        f"What was stopped goes on from its checkpoints. {spent} so far; what it still takes is"
        f" charged to {run.graph.account or 'no account'}."
    )
    return (Button("Resume", press_of(run, "resume").to_json(), "primary", confirm),)


def keeps_checkpoints(run: RunState, jobs: Sequence[Job]) -> bool:
    """Whether something of these has begun that keeps checkpoints."""
    return any(job.resumes and run.current(job.id) is not None for job in jobs)


def running_folds(view: RunView) -> list[JobRow]:
    return [
        row
        for row in view.rows
        if row.lane == "accelerator" and row.fold is not None and row.status in _RUNNING
    ]


def short_title(row: JobRow) -> str:
    """ "fold 3" of "fold 3 (4 of 5)"."""
    return row.title.split(" (")[0]


def _abort_fold(run: RunState, view: RunView, row: JobRow, now_ms: int) -> Button:
    return Button(
        f"Abort {short_title(row)}",
        press_of(run, "abort-fold", row.id).to_json(),
        "danger",
        _cost(run, view, [run.graph.job(row.id)], now_ms),
    )


def _abort_run(run: RunState, view: RunView, now_ms: int) -> Button:
    return Button(
        "Abort run",
        press_of(run, "abort-run").to_json(),
        "danger",
        _cost(run, view, run.graph.jobs, now_ms),
    )


def _cost(run: RunState, view: RunView, jobs: Sequence[Job], now_ms: int) -> str:
    spent = _spent(view, [view.row(job.id) for job in jobs])
    back_ms = freed_ms(run, jobs, now_ms)
    back = f"; up to {amount(back_ms, view.amounts_in)} would come back" if back_ms else ""
    kept = " The checkpoint is kept." if keeps_checkpoints(run, jobs) else ""
    return f"{spent}{back}.{kept}"


def _spent(view: RunView, rows: Sequence[JobRow]) -> str:
    spent_ms = sum(row.used_ms for row in rows)
    if not spent_ms:
        return "Nothing was spent"
    simulated = " (simulated)" if view.simulated else ""
    return f"{amount(spent_ms, view.amounts_in)} spent{simulated}"
