"""One pass over what waits in the CPU lane of a run: in the order of the plan, as long as there is
room. Behind that only those are looked at that have not said yet why they wait."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.events import events as e
from orchestrator.events.holding import holding
from orchestrator.graph import Job
from orchestrator.scheduler import earlier
from orchestrator.scheduler.admission import attempt_planned, cannot_run, goes_on, key_of, reuse
from orchestrator.scheduler.cpu_lane import room as cpu_lane
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.job_state import JobState
from orchestrator.state.sorts import BEING_MADE
from orchestrator.state.state import RunState, State

LOCAL = cpu_lane.LOCAL
FULL = ("cores", "memory")
"""Reasons of jobs to wait for which there was no room."""


def admit(
    state: State, run: RunState, inputs: Inputs, now_ms: int, *, something_ended: bool
) -> list[e.Event]:
    """What may happen now in the CPU lane of `run`; empty when nothing may.

    Each decision counts on the cores that the ones before took. Where one depends on more of what
    they left it is not made yet: the caller applies these and asks again. Jobs of which another one
    makes the result are looked at where `something_ended` in this step.
    """
    if not run.cpu_ready or holding(state.holds, run.graph.account, "cpu") is not None:
        return []
    news = run.cpu_untold or (something_ended and run.cpu_awaiting)
    if not news and cpu_lane.used(state)[0] >= inputs.capacity[LOCAL].cpus:
        return []
    return _Pass(state, run, inputs, now_ms).decide(something_ended)


class _Pass:
    def __init__(self, state: State, run: RunState, inputs: Inputs, now_ms: int) -> None:
        self._state = state
        self._run = run
        self._inputs = inputs
        self._now_ms = now_ms
        self._capacity = inputs.capacity[LOCAL]
        self._cpus, self._mem_mb = cpu_lane.used(state)
        self._making: dict[str, tuple[str, str]] = {}
        """By its key: run and job of what is being made now."""
        for other, attempt in state.live_attempts():
            self._making.setdefault(attempt.key, (other.name, attempt.job))
        self._events: list[e.Event] = []

    def decide(self, something_ended: bool) -> list[e.Event]:
        run, seen = self._run, set[str]()
        least = run.graph.least_cpus or self._capacity.cpus
        for known in run.cpu_ready:
            if self._cpus + least > self._capacity.cpus:
                break
            seen.add(known.id)
            if not self._is_told(known) and not self._consider(known):
                return self._events
        waiting = [*run.cpu_untold, *(run.cpu_awaiting if something_ended else ())]
        for known in waiting:
            if known.id not in seen and not self._consider(known):
                break
        return self._events

    def _is_told(self, known: JobState) -> bool:
        """Whether it has said that there is no room for it, and there is none."""
        return known.reason in FULL and self._short_of(self._run.graph.job(known.id)) != ""

    def _short_of(self, job: Job) -> str:
        """The reason to wait; empty where there is room."""
        if self._cpus + self._cores(job) > self._capacity.cpus:
            return "cores"
        return "memory" if self._mem_mb + job.mem_mb > self._capacity.mem_mb else ""

    def _cores(self, job: Job) -> int:
        return job.cpus or self._capacity.cpus

    def _consider(self, known: JobState) -> bool:
        """Decide about one; whether the others may be decided about without asking anew."""
        run, job = self._run, self._run.graph.job(known.id)
        if run.stop_of(job) is not None:
            return True
        key = key_of(run, job)
        found = tuple(reuse(self._state, run, job, key, self._inputs, self._now_ms))
        if found:
            self._events += found
            return True
        maker = self._making.get(key)
        if maker is not None and not (run.again and run.graph.runs_again(job)):
            return self._wait(known, BEING_MADE, earlier.waits_for(run, *maker))
        return self._start(known, job, key)

    def _start(self, known: JobState, job: Job, key: str) -> bool:
        run, capacity, cpus = self._run, self._capacity, self._cores(job)
        if cpus > capacity.cpus or job.mem_mb > capacity.mem_mb:
            text = (
                f"wants {cpus} cores and {job.mem_mb / 1024:.1f} GB, "
                f"this machine has {capacity.cpus} and {capacity.mem_mb / 1024:.1f} GB"
            )
            self._events.append(cannot_run(run, job, "too-big", text, self._now_ms))
            return True
        short = self._short_of(job)
        if short:
            text = f"waits for {job.mem_mb / 1024:.1f} GB of memory"
            if short == "cores":
                text = f"waits for {cpus} of {capacity.cpus} cores"
            given_up = tuple(self._make_room(job)) if short == "memory" else ()
            self._events += given_up
            return self._wait(known, short, text) and not given_up
        self._events += earlier.remarks(self._state, run, job, key, self._inputs, self._now_ms)
        before = earlier.previous_of(self._state, run, job, key, self._inputs)
        self._events += goes_on(run, job, before, self._now_ms)
        planned = attempt_planned(
            run, job, known.next_fence, key, LOCAL, cpus, before, self._inputs, self._now_ms
        )
        self._events.append(planned)
        self._cpus, self._mem_mb = self._cpus + cpus, self._mem_mb + job.mem_mb
        self._making.setdefault(key, (run.name, job.id))
        return before is None  # what it goes on from is nobody else's now

    def _make_room(self, job: Job) -> Iterator[e.Event]:
        """Give up workers that are started ahead, where it would fit without them."""
        without_mb = self._mem_mb - cpu_lane.ahead_mb(self._state)
        if without_mb + job.mem_mb <= self._capacity.mem_mb:
            yield from cpu_lane.make_room(self._state, job, self._now_ms)

    def _wait(self, known: JobState, reason: str, sentence: str) -> bool:
        if (known.reason, known.sentence) != (reason, sentence):
            self._events.append(
                e.JobWaited(
                    at_ms=self._now_ms,
                    run=self._run.name,
                    job=known.id,
                    reason=reason,
                    sentence=sentence,
                )
            )
        return True
