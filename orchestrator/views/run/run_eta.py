"""How long a run will still take: its measured epochs, and what others of a group took. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import wall_ms
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.training import Eta

_UNSURE = ("unreachable", "stopping", "parking")
_IN_ORDER = ("stopped", "deadline")


def run_eta(run: RunState, rows: Sequence[JobRow], now_ms: int) -> Eta | None:
    """The sum over what runs and what waits, shared by as many as run at the moment.

    None where nothing is known of one of them.
    """
    rows = [row for row in rows if row.lane == "accelerator"]
    open_rows = [row for row in rows if not row.ended]
    if any(row.until_ms or row.status in _UNSURE for row in open_rows):
        return None
    at_once = sum(row.status == "running" for row in open_rows)
    spent_ms = {row.id: _spent_ms(run, row.id, now_ms) for row in rows}
    walls = _walls(rows, spent_ms)
    etas = [row.eta or _like_its_group(spent_ms[row.id], walls.get(row.group)) for row in open_rows]
    known = [eta for eta in etas if eta is not None]
    if not known or len(known) < len(etas):
        return None
    each = zip(*((eta.low_ms, eta.likely_ms, eta.high_ms) for eta in known), strict=True)
    return Eta(*(max(max(part), sum(part) // max(1, at_once)) for part in each))


def _spent_ms(run: RunState, job: str, now_ms: int) -> int:
    """What its attempts ran and need not run again: what one that failed did is lost, but for
    what its checkpoint has kept."""
    spent_ms, resumes = 0, run.graph.job(job).resumes
    for name in run.jobs[job].attempts:
        attempt = run.attempts[name]
        ran_ms = wall_ms(attempt, now_ms) or 0
        if attempt.live or attempt.outcome == "done" or (resumes and attempt.outcome in _IN_ORDER):
            spent_ms += ran_ms
        elif resumes and attempt.checkpoint_ms is not None and attempt.started_ms is not None:
            spent_ms += min(ran_ms, max(0, attempt.checkpoint_ms - attempt.started_ms))
    return spent_ms


def _walls(
    rows: Sequence[JobRow], spent_ms: Mapping[str, int]
) -> dict[str, tuple[float, float, float]]:
    """By group the shortest, the median and the longest time of those that are done or that tell
    how long they will take."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row.status == "done" or row.eta is not None:
            likely_ms = row.eta.likely_ms if row.eta else 0
            found.setdefault(row.group, []).append(spent_ms[row.id] + likely_ms)
    return {group: (min(all), median(all), max(all)) for group, all in found.items()}


def _like_its_group(spent_ms: int, walls: tuple[float, float, float] | None) -> Eta | None:
    """A fold that says nothing yet is taken to last as long as those that ended or that tell."""
    if walls is None:
        return None
    return Eta(*(max(0, round(ms) - spent_ms) for ms in walls))
