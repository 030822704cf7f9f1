"""The jobs that wait for an accelerator, over all runs, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from orchestrator.events import events as e
from orchestrator.events.holding import holding
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane.backfill import OVERTAKEN_MS
from orchestrator.scheduler.accelerator_lane.companions import waiting_with
from orchestrator.scheduler.accelerator_lane.making import Making
from orchestrator.scheduler.accelerator_lane.pieces import is_parked
from orchestrator.scheduler.accelerator_lane.queue import Candidate
from orchestrator.scheduler.admission import cannot_run, key_of, reuse
from orchestrator.scheduler.earlier import remarks
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.sorts import BEING_MADE
from orchestrator.state.state import RunState, State, job_of

STIR_MS = 60_000
"""A wait is told again when the time until which it lasts has moved by more than this."""


class Waiting:
    """Who waits at the beginning of a pass. What is decided about them goes into `events`."""

    def __init__(self, state: State, inputs: Inputs, events: list[e.Event], now_ms: int) -> None:
        self._state = state
        self._inputs = inputs
        self._events = events
        self._now_ms = now_ms
        self._allocations: dict[str, int] = {}
        self.carried: set[tuple[str, str]] = set()
        """Run and id of the jobs that an open allocation is meant for."""
        self.refused: dict[tuple[str, str], AllocationState] = {}
        """What the ledger has just refused them although they seemed to fit."""

        self.beside: set[tuple[str, str]] = set()
        """Those that have said that they wait, with the one that they are to be started beside."""
        self._said: set[tuple[str, str]] = set()
        """Those of which this pass knows why they wait."""

    def candidates(self) -> list[Candidate]:
        """Those that wait for nothing but their turn, devices and hours, oldest run first."""
        found = []
        for age, run in enumerate(self._state.with_queue):
            if self._may_start(run):
                found += self._of_run(run, age)
        return found

    def told(self) -> set[str | None] | None:
        """The accounts of those that wait, where each of them has said why; None otherwise."""
        found: set[str | None] = set()
        for run in self._state.with_queue:
            if not self._may_start(run):
                continue
            if len(run.untold) < len(run.ready):
                found.add(run.graph.account)
            for known in run.untold:
                self._note_allocations(run)
                if (run.name, known.id) not in self.carried:
                    return None
        return found

    def _may_start(self, run: RunState) -> bool:
        """Whether anything of the lane may start in it; what a hold covers says nothing either."""
        held = holding(self._state.holds, run.graph.account, "accelerator")
        return run.live and not run.cpu_only and held is None

    def _of_run(self, run: RunState, age: int) -> list[Candidate]:
        waiting = run.ready
        if not waiting:
            return []
        self._note_allocations(run)
        account = self._inputs.accounts.get(run.graph.account or "")
        usable = account is not None and account.executor in self._inputs.capacity
        group, begun = None, False
        found = []
        for place, known in enumerate(waiting):
            job = run.graph.job(known.id)
            if (run.name, job.id) in self.carried:
                continue
            if run.stops and run.stop_of(job) is not None:
                continue
            if not usable:
                text = f"account {run.graph.account} cannot be used on this machine"
                self.cannot_run(run, job, "account", text)
            elif known.reason or not self.reuse(run, job):
                if job.group != group:
                    group, begun = job.group, self._has_begun(run, job.group)
                since_ms = known.overtaken_ms
                impatient = since_ms is not None and self._now_ms >= since_ms + OVERTAKEN_MS
                priority = run.priority + job.priority
                found.append(Candidate(run.name, job, priority, begun, age, place, impatient))
        return found

    def _note_allocations(self, run: RunState) -> None:
        """Jobs that an open allocation carries, and those that the ledger has just refused."""
        for allocation in run.open_allocations:
            self.carried.update((run.name, job_of(name)) for name in allocation.attempts)
        for allocation in run.refused:
            if allocation.again_ms > self._now_ms:
                names = ((run.name, job_of(name)) for name in allocation.attempts)
                self.refused |= dict.fromkeys(names, allocation)

    def _has_begun(self, run: RunState, group: str) -> bool:
        return any(
            run.jobs[job.id].attempts or (run.name, job.id) in self.carried
            for job in run.graph.groups()[group]
        )

    def next_allocation(self, run: RunState) -> int:
        """The number of the next allocation of a run; each one is given once."""
        number = self._allocations.get(run.name, len(run.allocations)) + 1
        self._allocations[run.name] = number
        return number

    def reuse(self, run: RunState, job: Job) -> bool:
        """Whether a result that is known stands in; `--again` and missing files count."""
        key = key_of(run, job)
        found = tuple(reuse(self._state, run, job, key, self._inputs, self._now_ms))
        self._events += found
        if not found and not run.jobs[job.id].remark:
            self._events += remarks(self._state, run, job, key, self._inputs, self._now_ms)
        return bool(found)

    @cached_property
    def making(self) -> Making:
        return Making(self._state)

    def waits_for_result(self, one: Candidate) -> bool:
        """Whether another one makes its result now; it says so."""
        sentence = self.making.waited_for_by(self._state.runs[one.run], one.job)
        if sentence:
            self.wait(one, BEING_MADE, sentence, None, afresh=True)
        return sentence != ""

    def others(self, one: Candidate, waiting: Iterable[Candidate]) -> Iterator[Job]:
        """Those of its group, of all that wait, that may start with it or after it. Each is looked
        at as it is asked for: of thousands a few are wanted."""
        taken = self.carried | self.beside | self.refused.keys()
        run = self._state.runs[one.run]
        for job in waiting_with(one, waiting, taken):
            if not self.making.waited_for_by(run, job):
                yield job

    def cannot_run(self, run: RunState, job: Job, reason: str, sentence: str) -> None:
        """The end of a job that could wait for ever."""
        self._events.append(cannot_run(run, job, reason, sentence, self._now_ms))

    def wait(
        self,
        one: Candidate,
        reason: str,
        sentence: str,
        until_ms: int | None,
        *,
        afresh: bool = False,
    ) -> None:
        """Say why it waits, if that is news. Of those behind the first one (`afresh`), whose
        sentences change with every job that starts or ends, only the reason and the time count."""
        run = self._state.runs[one.run]
        known = run.jobs[one.job.id]
        self._said.add((one.run, one.job.id))
        if known.reason == "parked" and is_parked(run, one.job, self._now_ms):
            return  # it has said so, and until when
        if known.reason and reason in ("over-budget", "group") and self._is_settling(run):
            return  # in a moment the screens know as much as is known here
        moved = abs((known.until_ms or 0) - (until_ms or 0)) > STIR_MS
        if known.reason == reason and not moved and not (afresh and known.sentence != sentence):
            return
        self._events.append(
            e.JobWaited(
                at_ms=self._now_ms,
                run=one.run,
                job=one.job.id,
                reason=reason,
                sentence=sentence,
                until_ms=until_ms,
            )
        )

    def wait_beside(
        self,
        one: Candidate,
        beside: Sequence[Job],
        reason: str,
        sentence: str,
        until_ms: int | None,
        *,
        afresh: bool = False,
    ) -> None:
        """The same of `one` and of those that are to be started side by side with it."""
        for job in (one.job, *beside):
            self.beside.add((one.run, job.id))
            if (one.run, job.id) not in self._said:  # each once in a pass: two words take turns
                self.wait(one._replace(job=job), reason, sentence, until_ms, afresh=afresh)

    def _is_settling(self, run: RunState) -> bool:
        """Whether an allocation of its account is over and not settled yet."""
        return any(
            allocation.status == "ended" and allocation.account == run.graph.account
            for other in self._state.busy
            for allocation in other.open_allocations
        )
