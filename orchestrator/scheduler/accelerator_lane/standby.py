"""Workers that are started ahead of their devices: for whom, and when they are not wanted any more.

The job that gets devices next has its worker import, open data and build its network while another
one still has them or its smoke test runs, else before it takes them. It takes its memory in the CPU
lane, and no core: that lane is often full. It is given up as soon as something else needs that
memory, and nothing of it ever counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from budget.accounts.account import Account
from orchestrator.events import events as e
from orchestrator.events.holding import HELD, holding
from orchestrator.events.pausing import PAUSED
from orchestrator.events.standby import StandbyState
from orchestrator.executors.base import Observation
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.pieces import goes_on_from
from orchestrator.scheduler.admission import key_of
from orchestrator.scheduler.cpu_lane import room as cpu_lane
from orchestrator.scheduler.earlier import previous_of
from orchestrator.scheduler.inputs import Inputs, Line
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State
from skint.attempt import EXIT_STOPPED

LOCAL = cpu_lane.LOCAL
SILENT_MS = 60_000
"""What says nothing for so long counts as at work, too."""
MARGIN_S = 600.0
"""It waits for so much longer than its devices can be kept by those that have them."""
PREPARING = "imports, opens its data and builds its network before it has a device"
PREPARES_MS = 120_000
"""A free device waits no longer than this for a worker that imports; what is later starts on it."""
WAITS = ("devices", "preparing")
"""Reasons of jobs to wait for which a worker is started ahead."""
WAIT_S = 3_600.0
"""Where nobody knows how long that is."""


def plan(state: State, inputs: Inputs, now_ms: int) -> Iterator[e.Event]:
    """The workers to start ahead: for the jobs that the next devices of each executor go to."""
    planned: list[e.StandbyPlanned] = []
    for run, job in _next(state, inputs):
        for event in _ahead(state, run, job, planned, inputs, now_ms):
            if isinstance(event, e.StandbyPlanned):
                planned.append(event)
            yield event


def _next(state: State, inputs: Inputs) -> Iterator[tuple[RunState, Job]]:
    """Jobs that devices go to next: that have said so, then those that wait for nothing but a smoke
    test, which runs."""
    runs = [
        run
        for run in state.with_queue
        if run.graph.has_standby
        if not run.cpu_only and holding(state.holds, run.graph.account, "accelerator") is None
    ]
    for run in runs:
        yield from ((run, run.graph.job(x.id)) for x in run.ready if x.reason in WAITS)
    for run in runs:
        tested = [a.job for a in run.live_attempts if run.graph.job(a.job).smoke]
        behind = (run.graph.job(id) for smoke in tested for id in run.graph.needed_by(smoke))
        first = [job for job in behind if _waits_for_smoke_alone(run, job.id)]
        yield from ((run, job) for job in first[: _at_once(run, first, inputs)])


def _at_once(run: RunState, jobs: Sequence[Job], inputs: Inputs) -> int:
    """How many of `jobs` are started side by side."""
    account = inputs.accounts.get(run.graph.account or "")
    can = inputs.capabilities.get(account.executor) if account else None
    if not jobs or account is None or can is None or not can.together:
        return 1
    devices = inputs.capacity[account.executor].devices
    return max(1, min(jobs[0].together, len(devices) // jobs[0].devices))


def _waits_for_smoke_alone(run: RunState, id: str) -> bool:
    known, graph = run.jobs[id], run.graph
    return (
        known.status == "waiting"
        and not known.paused
        and all(run.jobs[need].has_result or graph.job(need).smoke for need in graph.job(id).needs)
    )


def _ahead(
    state: State,
    run: RunState,
    job: Job,
    planned: Sequence[e.StandbyPlanned],
    inputs: Inputs,
    now_ms: int,
) -> Iterator[e.Event]:
    known = run.jobs[job.id]
    if not job.standby or known.unready:
        return
    allocation = run.allocation_of(job.id)
    if run.stop_of(job) is not None or (allocation and allocation.open):
        return
    account = inputs.accounts.get(run.graph.account or "")
    can = inputs.capabilities.get(account.executor) if account else None
    if account is None or can is None or not can.standby or can.attempts_per_allocation > 1:
        return
    if known.reason != "preparing" and not _is_undisturbed(state, account.executor, now_ms):
        return
    standing = [(r, s) for r, s in state.live_standbys() if s.executor == account.executor]
    if any(s.job == job.id and r.name == run.name for r, s in standing):
        return
    for other, standby in standing if known.reason == "devices" else ():
        if not standby.dropped and not _is_next(other, standby):
            text = f"{run.name}.{job.id} comes before {standby.job}"
            yield _dropped(other, standby, "turn", text, now_ms)
    names = [(r.name, s.job) for r, s in standing]
    names += [(one.run, one.job) for one in planned if one.executor == account.executor]
    beside = sum(_is_beside(run, job, *name) for name in names)
    if known.reason != "preparing" and (beside < len(names) or job.together <= beside):
        return  # one at a time, but for those that devices have been promised to
    key = key_of(run, job)
    if key in state.results and not (run.again and run.graph.runs_again(job)):
        return
    mem_mb = job.mem_mb + sum(one.mem_mb for one in planned if one.executor == LOCAL)
    if account.executor == LOCAL and not cpu_lane.has_memory(state, inputs, mem_mb):
        return
    fence, before = known.next_fence, previous_of(state, run, job, key, inputs)
    yield e.StandbyPlanned(
        at_ms=now_ms,
        run=run.name,
        job=job.id,
        attempt=f"{run.name}.{job.id}.{fence}",
        fence=fence,
        key=key,
        folder=f"{inputs.runs_dir}/{run.name}/{job.id}/{fence}",
        executor=account.executor,
        cpus=job.cpus or inputs.capacity[account.executor].cpus,
        mem_mb=job.mem_mb,
        wait_s=_wait_s(known, now_ms),
        previous=before.out if before else None,
    )


def _is_next(run: RunState, standby: StandbyState) -> bool:
    """Whether its job has been promised devices, or is about to get them."""
    allocation = run.allocation_of(standby.job)
    being_given = allocation is not None and allocation.open and standby.id in allocation.attempts
    return being_given or run.jobs[standby.job].reason in WAITS


def _is_beside(run: RunState, job: Job, other_run: str, other: str) -> bool:
    """Whether the other one may be started side by side with it."""
    return job.together > 1 and run.name == other_run and run.graph.job(other).group == job.group


def prepares_until(
    state: State,
    inputs: Inputs,
    run: RunState,
    jobs: Sequence[Job],
    account: Account,
    now_ms: int,
) -> int | None:
    """Until when jobs that could have devices now, side by side, do first what needs none; None:
    they do not.

    So the first job of all is not charged for its imports either. It has no device meanwhile.
    """
    can = inputs.capabilities[account.executor]
    if not can.standby or can.attempts_per_allocation > 1 or run.cpu_only:
        return None
    able = [job for job in jobs if job.standby and not run.jobs[job.id].unready]
    own = {standby.job: standby for standby in run.standbys.values()}
    missing = [job.mem_mb for job in able if job.id not in own]
    if missing and not cpu_lane.has_memory(state, inputs, sum(missing)):
        return None
    getting_ready = [one for one in own.values() if not one.dropped and one.status != "ready"]
    if not missing and not any(one.job == job.id for one in getting_ready for job in able):
        return None
    known = run.jobs[jobs[0].id]
    until_ms = now_ms + PREPARES_MS
    if known.reason == "preparing" and known.until_ms is not None:
        until_ms = known.until_ms
    return until_ms if now_ms < until_ms else None


def _wait_s(known: JobState, now_ms: int) -> float:
    if known.until_ms is None:
        return WAIT_S
    return max(0.0, (known.until_ms - now_ms) / 1000) + MARGIN_S


def _is_undisturbed(state: State, executor: str, now_ms: int) -> bool:
    """Whether nothing has devices there, or something that has come beyond its own start, which
    costs hours: nothing else is to import and build beside it."""
    if all(where != executor for where, _ in state.kept_devices):
        return True
    for _, attempt in state.live_attempts():
        if attempt.executor != executor or not attempt.devices or attempt.started_ms is None:
            continue
        if attempt.reports or attempt.progress or attempt.checkpoint:
            return True
        if now_ms - attempt.started_ms >= SILENT_MS:
            return True
    return False


def name_for(run: RunState, job: Job, executor: str) -> str:
    """The name of the next attempt of a job: that of the worker that stands by, if it fits."""
    standby = run.standby_of(job.id)
    if (
        standby is not None
        and standby.usable
        and standby.executor == executor
        and standby.key == key_of(run, job)
        and _goes_on_from_the_same(run, job, standby)
    ):
        return standby.id
    return f"{run.name}.{job.id}.{run.jobs[job.id].next_fence}"


def _goes_on_from_the_same(run: RunState, job: Job, standby: StandbyState) -> bool:
    if not run.jobs[job.id].attempts:
        return True  # what it found of other runs is kept for it
    before = goes_on_from(run, job)
    return standby.previous == (before.out if before else None)


def drop(state: State, now_ms: int) -> Iterator[e.Event]:
    """Those that are not wanted any more."""
    for run, standby in state.live_standbys():
        if standby.dropped:
            continue
        why = _unwanted(run, standby, now_ms) or _held(state, run)
        if why:
            yield _dropped(run, standby, *why, now_ms)


def _held(state: State, run: RunState) -> tuple[str, str] | None:
    hold = holding(state.holds, run.graph.account, "accelerator")
    return (HELD, f"held by {hold.by}") if hold is not None else None


def _is_long(until_ms: int | None, now_ms: int) -> bool:
    """Whether it is no use to stay until then; what the ledger refuses is soon asked again."""
    return until_ms is None or until_ms - now_ms > MARGIN_S * 1000


def _unwanted(run: RunState, standby: StandbyState, now_ms: int) -> tuple[str, str] | None:
    known = run.jobs[standby.job]
    if known.status != "waiting":
        return known.reason or known.status, f"{standby.job} is {known.status}"
    if known.paused:
        return PAUSED, known.paused
    if known.reason not in ("", "turn", *WAITS) and _is_long(known.until_ms, now_ms):
        return known.reason, known.sentence
    stop = run.stop_of(run.graph.job(standby.job))
    if stop is not None:
        return stop.reason, stop.sentence
    allocation = run.allocation_of(standby.job)
    if allocation and allocation.open and standby.id not in allocation.attempts:
        return "not-usable", f"{standby.job} is started without it"
    return None


def _dropped(
    run: RunState, standby: StandbyState, reason: str, sentence: str, now_ms: int
) -> e.Event:
    return e.StandbyDropped(
        at_ms=now_ms, run=run.name, attempt=standby.id, reason=reason, sentence=sentence
    )


def seen(run: RunState, name: str, sight: Observation, now_ms: int) -> Iterator[e.Event]:
    """What an observation tells of one."""
    standby = run.standbys[name]
    if sight.condition == "running" and sight.started_ms is not None:
        if standby.status in ("planned", "accepted"):
            yield e.StandbyStarted(
                at_ms=now_ms, run=run.name, attempt=name, started_ms=sight.started_ms
            )
    elif sight.condition in ("ended", "lost"):
        by_itself, sentence = _how_it_ended(standby, sight)
        yield ended(run, standby, sentence, now_ms, by_itself=by_itself)
    elif sight.condition == "absent" and standby.status in ("running", "ready"):
        yield ended(run, standby, "nothing is known of it any more", now_ms, by_itself=False)


def _how_it_ended(standby: StandbyState, sight: Observation) -> tuple[bool, str]:
    own = sight.attempts.get(standby.id)
    exit = own.exit if own else None
    if standby.dropped:
        return False, f"it was given up: {standby.dropped}"
    if exit is None:
        return True, "the worker that was started ahead for it is lost"
    if exit.code == EXIT_STOPPED:
        return False, "it had waited long enough"
    if exit.code == 0:
        return True, "started ahead, it does not wait for its devices: ctx.wait_for_devices()"
    return True, f"the worker that was started ahead for it ended with code {exit.code}"


def ended(
    run: RunState, standby: StandbyState, sentence: str, now_ms: int, *, by_itself: bool
) -> e.Event:
    return e.StandbyEnded(
        at_ms=now_ms, run=run.name, attempt=standby.id, by_itself=by_itself, sentence=sentence
    )


def told(run: RunState, line: Line, now_ms: int) -> Iterator[e.Event]:
    """What a line of one means: that it is ready. All else waits until it is an attempt."""
    standby = run.standbys.get(line.attempt)
    if standby and line.kind == "ready" and standby.status != "ready" and not standby.dropped:
        yield e.StandbyReady(at_ms=now_ms, run=run.name, attempt=standby.id, ready_ms=line.at_ms)
