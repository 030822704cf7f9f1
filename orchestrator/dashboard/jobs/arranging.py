"""Which runs and jobs are shown, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.state.state import RunState
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView

ORDERS = ("age", "state", "hours", "to go", "score", "name")
"""By age: live runs as they were submitted, then those that ended, the last one first."""
STATES = (
    "running",
    "unreachable",
    "stopping",
    "waiting",
    "queued",
    "failed",
    "stopped",
    "cancelled",
    "done",
)


@dataclass(frozen=True)
class Arrangement:
    text: str = ""
    """Words that all stand in the run, its account, state and model, or in those of a job."""
    order: str = "age"
    turned: bool = False
    """The other way round."""

    @property
    def next_order(self) -> str:
        return ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]


def arranged(
    screen: Screen, arrangement: Arrangement
) -> tuple[tuple[RunView, ...], Mapping[str, frozenset[str]]]:
    """The runs to show in order; and of those in which only some jobs are meant, which."""
    views, only = screen.views, dict[str, frozenset[str]]()
    if words := arrangement.text.lower().split():
        kept = []
        for view in views:
            run = screen.state.runs.get(view.name)
            if _has(words, _of_run(view)):
                kept.append(view)
                continue
            found = [row.id for row in view.rows if _has(words, _of_job(view, row, run))]
            if found:
                only[view.name] = frozenset(found)
                kept.append(view)
        views = tuple(kept)
    if arrangement.order != "age":
        views = tuple(sorted(views, key=_KEYS[arrangement.order]))
    return (tuple(reversed(views)) if arrangement.turned else views), only


def _has(words: list[str], text: str) -> bool:
    return all(word in text for word in words)


def _of_run(view: RunView) -> str:
    return f"{view.name} {view.account or ''} {view.status}".lower()


def _of_job(view: RunView, row: JobRow, run: RunState | None) -> str:
    model = run.graph.job(row.id).params.get("model", "") if run else ""
    return f"{view.name} {view.account or ''} {row.title} {row.id} {row.status} {model}".lower()


def _state(view: RunView) -> int:
    return STATES.index(view.status) if view.status in STATES else len(STATES)


_KEYS: Mapping[str, Callable[[RunView], Any]] = {
    "state": _state,
    "hours": lambda view: -view.used_ms,
    "to go": lambda view: (view.eta_ms is None, view.eta_ms or 0),
    "score": lambda view: (view.mean is None, -(view.mean or 0.0)),
    "name": lambda view: view.name,
}
