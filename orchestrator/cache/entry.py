"""What attempts have left on disk, and who needs it: read off the state. Pure but for sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator.forecasts.charge import charge_of, cost_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State
from orchestrator.views.budget.charges import unit_of

Sort = Literal["result", "replaced", "unfinished"]


@dataclass(frozen=True)
class Entry:
    """The `out/` of one attempt. Times are Unix milliseconds."""

    attempt: str
    """`seedlings-1.packed.1`."""
    run: str
    job: str
    uses: str
    sort: Sort
    """The result of its key; one that a newer one has replaced; work that was interrupted."""
    accelerator: bool
    """Made, or begun, in hours that were paid for: checkpoints among it."""
    out: str
    size_bytes: int
    made_ms: int
    """When the attempt ended."""
    used_ms: int
    """When the last run that has it ended, or now while one goes on."""
    used_by: tuple[str, ...]
    """The runs that have it as a result."""
    wall_ms: int
    """How long making it took."""
    static_key: str
    charged_ms: int | None = None
    """Of `account`, where the making was charged."""
    account: str = ""
    unit: str = "device"
    needed_by: str = ""
    """A run that goes on and has it, or goes on from it."""
    current: bool = False
    """Whether the newest run of a plan has it."""


def entries(state: State, size_of: Callable[[str], int | None], now_ms: int) -> list[Entry]:
    """What is on disk, the oldest use first. `size_of` is None where there is nothing."""
    users = _users(state)
    needed = needed_by(state)
    newest = _newest_runs(state)
    found = []
    for run in state.runs.values():
        for attempt in run.attempts.values():
            if attempt.live:
                continue
            size_bytes = size_of(attempt.out)
            if size_bytes is not None:
                used_by = users.get(attempt.id, ())
                found.append(
                    _entry(state, run, attempt, size_bytes, used_by, needed, newest, now_ms)
                )
    return sorted(found, key=lambda one: (one.used_ms, one.attempt))


def needed_by(state: State) -> dict[str, str]:
    """Attempts, by id, whose files a run that goes on needs, and which run that is."""
    found: dict[str, str] = {}
    by_out = {a.out: a.id for run in state.runs.values() for a in run.attempts.values()}
    for run in state.live_runs():
        for known in run.jobs.values():
            found[known.result_of] = run.name
        for attempt in run.attempts.values():
            found[attempt.id] = run.name
            if attempt.live and attempt.previous in by_out:
                found[by_out[attempt.previous]] = run.name
        for standby in run.standbys.values():
            if standby.previous in by_out:
                found[by_out[standby.previous]] = run.name
    return found


def _entry(
    state: State,
    run: RunState,
    attempt: AttemptState,
    size_bytes: int,
    used_by: tuple[str, ...],
    needed: Mapping[str, str],
    newest: frozenset[str],
    now_ms: int,
) -> Entry:
    job = run.graph.job(attempt.job)
    made_ms = attempt.ended_ms or attempt.started_ms or run.submitted_ms
    ends = [now_ms if (user := state.runs[name]).live else user.ended_ms or 0 for name in used_by]
    result = state.results.get(attempt.key)
    sort: Sort = "unfinished"
    if attempt.outcome == "done":
        sort = "result" if result is not None and result.attempt == attempt.id else "replaced"
    account = run.graph.account or ""
    return Entry(
        attempt=attempt.id,
        run=run.name,
        job=job.id,
        uses=job.uses or " ".join(job.argv[:2]),
        sort=sort,
        accelerator=job.devices > 0,
        out=attempt.out,
        size_bytes=size_bytes,
        made_ms=made_ms,
        used_ms=max([made_ms, *ends]),
        used_by=used_by,
        wall_ms=max(0, made_ms - (attempt.started_ms or made_ms)),
        static_key=job.static_key,
        charged_ms=_charged_ms(state, attempt.id, account, sort) if job.devices else None,
        account=account,
        unit=unit_of(run),
        needed_by=needed.get(attempt.id, ""),
        current=not newest.isdisjoint(used_by),
    )


def _charged_ms(state: State, attempt: str, account: str, sort: Sort) -> int | None:
    """Of a result what it would cost to make it again, of others what this attempt has cost."""
    if sort != "result":
        return charge_of(state, attempt, account)
    cost = cost_of(state, attempt, account)
    return None if cost is None else cost[0]


def _users(state: State) -> dict[str, tuple[str, ...]]:
    """The runs that have the result of an attempt, in the order of their age."""
    found: dict[str, tuple[str, ...]] = {}
    for run in state.runs.values():
        for name in dict.fromkeys(job.result_of for job in run.jobs.values() if job.has_result):
            found[name] = (*found.get(name, ()), run.name)
    return found


def _newest_runs(state: State) -> frozenset[str]:
    """The last run of each plan, by the plan's name and folder."""
    newest: dict[tuple[str, str], str] = {}
    for run in state.runs.values():
        newest[run.graph.name, run.graph.base] = run.name
    return frozenset(newest.values())


def needed_keys(state: State, left: list[Entry]) -> Iterator[str]:
    """Static keys of what is still on disk, and of the jobs of runs that go on."""
    yield from (entry.static_key for entry in left)
    for run in state.live_runs():
        yield from (job.static_key for job in run.graph.jobs)
