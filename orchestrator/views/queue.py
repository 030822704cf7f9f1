"""What is queued and running, in the order in which it will start. Pure.

Jobs that run stand first. Then those that wait for nothing but their turn: of the accelerator lane
in the order of `orchestrator.scheduler.accelerator_lane.queue`, of the CPU lane the oldest run
first, both lanes by the time at which they probably start. Then what waits for other jobs; last
what is paused.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from budget.forecasts.forecast import Forecast
from orchestrator.events.holding import HELD, Hold, holding
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.forecasts.history import History
from orchestrator.graph import Job, Lane
from orchestrator.scheduler.accelerator_lane.queue import Candidate, in_order
from orchestrator.state.job_state import JobState
from orchestrator.state.sorts import QUEUED
from orchestrator.state.state import RunState, State
from orchestrator.views.words.job import is_held, status_of, title_of, why_of
from orchestrator.views.words.persons import in_words

NEEDS = "needs"
"""The reason code of a job that waits for the results of others."""
READY = "ready"
"""That of one that nobody has looked at yet."""


@dataclass(frozen=True)
class QueueRow:
    """One job. Times are milliseconds; hours are of devices, which the CPU lane has none of."""

    run: str
    job: str
    title: str
    lane: Lane
    account: str | None
    """Empty for CPU work, which costs nothing."""
    status: str
    """As in `JobRow.status`."""
    devices: int
    low_ms: int
    likely_ms: int
    high_ms: int
    """How long it will probably still run; with `known` False anything up to this, its limit."""
    known: bool
    """Something like it has been measured."""
    start_ms: int | None
    """When it started, or will probably start; None where nobody can tell."""
    start_known: bool
    """False: at the latest then, if those before it use their limits up."""
    reason: str
    """The code of the reason why it waits; empty for what runs."""
    why: str


@dataclass(frozen=True)
class Queue:
    rows: tuple[QueueRow, ...]
    """The first ones."""
    running: int
    waiting: int
    """All of them, shown or not."""
    holds: tuple[Hold, ...] = ()

    @property
    def more(self) -> int:
        """How many are not among `rows`."""
        return self.running + self.waiting - len(self.rows)


def queue_view(state: State, now_ms: int, *, most: int | None = None, cores: int = 1) -> Queue:
    """At most `most` rows. Jobs run side by side on as many devices as are kept now, and on
    `cores` cores."""
    live = [run for run in state.live_runs() if run.live]
    lanes = _Lanes(state, now_ms, cores)
    running = [
        lanes.running(run, run.graph.job(known.id)) for run in live for known in run.running_jobs
    ]
    running.sort(key=lambda row: row.start_ms or 0)
    waiting = _waiting(live, lanes, most)
    count = sum(len(run.open_jobs) - len(run.running_jobs) for run in live)
    left = None if most is None else max(0, most - len(running))
    ready = [
        [lanes.waiting(*one) for one in _first(jobs, left)]
        for jobs in (waiting.accelerator, waiting.cpu)
    ]
    rows = [*running, *sorted((row for rows in ready for row in rows), key=_start)]
    for jobs in (waiting.needing, waiting.paused):
        left = None if most is None else max(0, most - len(rows))
        rows += [lanes.waiting(*one) for one in _first(jobs, left)]
    return Queue(tuple(rows[:most]), len(running), count, state.holds)


def _start(row: QueueRow) -> tuple[bool, int]:
    return row.start_ms is None, row.start_ms or 0


def _first(
    jobs: Sequence[tuple[RunState, Job]], most: int | None
) -> Sequence[tuple[RunState, Job]]:
    return jobs if most is None else jobs[:most]


class _Waiting(NamedTuple):
    """Those that wait, the next one first; of the CPU lane no more than are shown."""

    accelerator: list[tuple[RunState, Job]]
    cpu: list[tuple[RunState, Job]]
    needing: list[tuple[RunState, Job]]
    paused: list[tuple[RunState, Job]]


def _waiting(live: Sequence[RunState], lanes: _Lanes, most: int | None) -> _Waiting:
    candidates: list[Candidate] = []
    found = _Waiting([], [], [], [])
    runs = {run.name: run for run in live}
    for age, run in enumerate(live):
        begun = {run.graph.job(one.job).group for one in run.attempts.values()}
        ready = {known.id for known in run.ready}
        for place, known in enumerate(run.ready):
            job = run.graph.job(known.id)
            priority = run.priority + job.priority
            candidates.append(
                Candidate(run.name, job, priority, job.group in begun, age, place, False)
            )
        cpu = run.cpu_ready
        shown = cpu if most is None else cpu[: most - len(found.cpu)]
        found.cpu.extend((run, run.graph.job(known.id)) for known in shown)
        if len(run.open_jobs) > len(run.running_jobs) + len(ready) + len(cpu):
            ready |= {known.id for known in cpu}
            for known in run.open_jobs:
                if known.status == "waiting" and known.id not in ready:
                    rest = found.paused if known.paused else found.needing
                    rest.append((run, run.graph.job(known.id)))
    ordered = in_order(candidates, lambda one: lanes.cost_ms(runs[one.run], one.job))
    found.accelerator.extend((runs[one.run], one.job) for one in ordered)
    return found


@dataclass
class _Lanes:
    """When devices and cores will be free, as one job after the other is given them."""

    state: State
    now_ms: int
    cores: int
    history: History = field(default_factory=History)
    _free: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    """By account, or empty for cores: when each is free, and whether that is known."""
    _ends: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)
    """By run and job."""
    _guesses: dict[tuple[str, str], Forecast] = field(default_factory=dict)
    """Of those that have not begun, by run and what they have in common."""

    def running(self, run: RunState, job: Job) -> QueueRow:
        guess = self._guess(run, job)
        attempt = run.current(job.id)
        known = run.jobs[job.id]
        end = (self.now_ms + guess.likely_ms, guess.source != "unknown")
        self._ends[run.name, job.id] = end
        slots = self._slots(run, job)
        for _ in range(min(len(slots), max(1, job.devices or job.cpus or self.cores))):
            heapq.heapreplace(slots, end)
        row = self._row(run, job, known, guess)
        start_ms = attempt.started_ms if attempt is not None else None
        return replace(row, start_ms=start_ms, start_known=True)

    def waiting(self, run: RunState, job: Job) -> QueueRow:
        guess, known = self._guess(run, job), run.jobs[job.id]
        row = self._row(run, job, known, guess)
        if known.paused:
            return row
        if is_held(run, job, known, self.state.holds) is not None:
            return replace(row, reason=HELD)
        if holding(self.state.holds, run.graph.account, job.lane) is not None:
            return row
        start = self._next_start(run, job, known)
        if start is None:
            return row
        sure = start[1] and guess.source != "unknown"
        self._ends[run.name, job.id] = (start[0] + guess.likely_ms, sure)
        return replace(row, start_ms=start[0], start_known=start[1])

    def _next_start(self, run: RunState, job: Job, known: JobState) -> tuple[int, bool] | None:
        """Takes what it will have; None where that cannot be told."""
        needed = [
            self._ends.get((run.name, need)) for need in job.needs if not run.jobs[need].has_result
        ]
        if None in needed:
            return None
        slots = self._slots(run, job)
        taken = min(len(slots), max(1, job.devices or job.cpus or self.cores))
        free = [heapq.heappop(slots) for _ in range(taken)]
        times = [(self.now_ms, True), *free, *(one for one in needed if one is not None)]
        if known.until_ms is not None and known.reason not in QUEUED:
            times.append((known.until_ms, True))
        start = max(times)
        sure = all(is_known for at_ms, is_known in times if at_ms > self.now_ms)
        guess = self._guess(run, job)
        end = (start[0] + guess.likely_ms, sure and guess.source != "unknown")
        for _ in range(taken):
            heapq.heappush(slots, end)
        return start[0], sure

    def _slots(self, run: RunState, job: Job) -> list[tuple[int, bool]]:
        lane = (run.graph.account or "") if job.devices else ""
        if lane not in self._free or (job.devices and not self._free[lane]):
            count = self.cores
            if job.devices:
                kept = {
                    (allocation.executor, device)
                    for other in self.state.live_runs()
                    for allocation in other.kept
                    if allocation.account == lane
                    for device in allocation.devices
                }
                count = max(len(kept), job.devices)
            self._free[lane] = [(self.now_ms, True)] * count
        return self._free[lane]

    def cost_ms(self, run: RunState, job: Job) -> int:
        """What it will probably use of its devices."""
        return job.devices * min(self._guess(run, job).likely_ms, job.wall_limit_ms)

    def _guess(self, run: RunState, job: Job) -> Forecast:
        if run.jobs[job.id].attempts:
            return forecast_job(self.state, run, job, self.now_ms, self.history)
        key = (run.name, job.cell)
        if key not in self._guesses:
            guess = forecast_job(self.state, run, job, self.now_ms, self.history)
            self._guesses[key] = guess
        return self._guesses[key]

    def _row(self, run: RunState, job: Job, known: JobState, guess: Forecast) -> QueueRow:
        newest = run.current(job.id)
        why = in_words(why_of(run, job, known, newest, self.state.holds))
        reason = "" if known.status == "running" else known.reason
        if known.status == "waiting" and not reason:
            reason = NEEDS if _missing(run, job) else READY
        return QueueRow(
            run=run.name,
            job=job.id,
            title=title_of(run, job),
            lane=job.lane,
            account=run.graph.account if job.devices else None,
            status=status_of(run, job, known, newest),
            devices=job.devices,
            low_ms=guess.low_ms,
            likely_ms=guess.likely_ms,
            high_ms=guess.high_ms,
            known=guess.source != "unknown",
            start_ms=None,
            start_known=False,
            reason=reason,
            why=why,
        )


def _missing(run: RunState, job: Job) -> bool:
    """Whether something that it needs is not there yet."""
    return any(not run.jobs[need].has_result for need in job.needs)
