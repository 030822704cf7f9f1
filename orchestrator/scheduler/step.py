"""`step(state, inputs, now) → Step` is the scheduler. It is pure: no clock, no file, no dice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeGuard

from orchestrator.events import events as e
from orchestrator.executors.base import Observation
from orchestrator.scheduler import (
    actions,
    admission,
    endings,
    metering,
    observations,
    quiet,
    savings,
)
from orchestrator.scheduler import inputs as i
from orchestrator.scheduler.accelerator_lane import accelerators, edges, standby
from orchestrator.scheduler.cpu_lane import room as cpu_lane
from orchestrator.scheduler.cpu_lane import waiting as cpu_pass
from orchestrator.scheduler.obeying import commands, holding
from orchestrator.scheduler.rules import own_rules, verdicts
from orchestrator.state.projection import apply_all
from orchestrator.state.questions import open_questions
from orchestrator.state.state import RunState, State, job_of, run_of

_ENDS = (e.AttemptEnded, e.JobEnded)


class _Deciding:
    """Events decided so far and the state they lead to: each decision sees the ones before."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.events: list[e.Event] = []
        self.something_ended = False
        """An attempt or a job, in this step."""
        self.touched: set[str] = set()
        """Runs that these events are about."""
        self._looked_at: State | None = None
        self._room = False
        self.is_new = vars(state).get("_at_rest") is not state.runs
        """Whether something may follow of any run, also where nothing happens to it."""

    def take(self, events: Iterable[e.Event]) -> bool:
        """Apply them in order; whether there were any."""
        decided = tuple(events)
        if not decided:
            return False
        self.state = apply_all(self.state, decided)
        self.events += decided
        for event in decided:
            self.touched.add(event.run)
            if type(event) in _ENDS:
                self.something_ended = True
        return True

    def rest(self, *, still: bool = False) -> None:
        """Nothing more follows by itself: the next step looks at the runs that move. With `still`,
        if it was so before."""
        if not (still and self.is_new):
            vars(self.state)["_at_rest"] = self.state.runs

    def has_room(self, inputs: i.Inputs) -> bool:
        """Whether a core of the CPU lane is free."""
        if self._looked_at is not self.state:
            self._looked_at = self.state
            self._room = cpu_lane.used(self.state)[0] < inputs.capacity[cpu_lane.LOCAL].cpus
        return self._room

    def moving(self, inputs: i.Inputs) -> Iterator[str]:
        """The runs of which something may end or start, the oldest first."""
        state = self.state
        if self.is_new or "" in self.touched:  # a hold belongs to no run
            yield from [run.name for run in state.unsettled]
            return
        sure = self.touched | {run.name for run in state.with_untold}
        if self.something_ended:
            sure |= {run.name for run in state.with_awaiting}
        for run in state.unsettled:
            if run.name in sure or (run.cpu_ready and self.has_room(inputs)):
                yield run.name

    def observe(
        self,
        told_by: Callable[[RunState, str, Observation, int], Iterable[e.Event]],
        inputs: i.Inputs,
        now_ms: int,
    ) -> None:
        """Take what each observation of a live run tells of starts, or of ends."""
        for submission, seen in inputs.observations.items():
            run = self.state.runs.get(run_of(submission))
            if run and submission in run.standbys:
                self.take(standby.seen(run, submission, seen, now_ms))
            elif run and (submission in run.allocations or submission in run.attempts):
                self.take(told_by(run, submission, seen, now_ms))

    def judge(
        self, attempts: Iterable[str], inputs: i.Inputs, now_ms: int, quiet_s: float = 0.0
    ) -> None:
        """Take what stop rules say of the jobs of these attempts."""
        for name in attempts:
            run = self.state.runs[run_of(name)]
            job = run.graph.job(run.attempts[name].job)
            self.take(verdicts.judge(self.state, run, job, inputs, now_ms, quiet_s))


def step(state: State, inputs: i.Inputs, now_ms: int) -> i.Step:
    """Decide everything that follows from `inputs` at `now_ms`."""
    deciding = _Deciding(state)
    deciding.take(holding.widened(state, inputs, now_ms))
    for command in inputs.commands:
        deciding.take(commands.obey(deciding.state, command, inputs, now_ms))
    for run in deciding.state.asking:
        deciding.take(verdicts.time_outs(run, now_ms))
    for answer in inputs.answers:
        _take_answer(deciding, answer, inputs, now_ms)
    if _is_only_word_of_it(inputs, deciding.events):
        wake = partial(_wake_ms, deciding.state, inputs, now_ms)
        deciding.rest(still=True)
        return i.Step(tuple(deciding.events), deciding.state, (), wake)
    deciding.observe(observations.starts, inputs, now_ms)
    if inputs.lines:
        for run in deciding.state.busy:
            for line in inputs.lines if run.standbys else ():
                deciding.take(standby.told(deciding.state.runs[run.name], line, now_ms))
        told = len(deciding.events)
        deciding.take(observations.from_lines(deciding.state, inputs.lines, now_ms))
        reported = {x.attempt for x in deciding.events[told:] if isinstance(x, e.MetricsReported)}
        if reported:
            deciding.judge(sorted(reported), inputs, now_ms)
    over = len(deciding.events)
    deciding.observe(observations.ends, inputs, now_ms)
    # Before anything else is started: what has ended may mean that the others need not begin.
    done = [x.attempt for x in deciding.events[over:] if _is_done(x)]
    if done:
        deciding.judge(done, inputs, now_ms)
    for run in () if inputs.answers else deciding.state.busy:
        for attempt, quiet_s in quiet.quiet_attempts(run, inputs, now_ms):
            deciding.judge([attempt.id], inputs, now_ms, quiet_s)
    for said in inputs.said:
        deciding.take(own_rules.told(deciding.state, said, now_ms))
    for name, metered in inputs.metered.items():
        attempt_now = deciding.state.attempt(name)
        if attempt_now is not None:
            deciding.take(metering.told(run_of(name), attempt_now, metered, now_ms))
    for run in deciding.state.busy:
        for attempt in run.live_attempts:
            if attempt.edge:
                deciding.take(edges.ask(deciding.state.runs[run.name], attempt.id, now_ms))
    _advance(deciding, inputs, now_ms)
    deciding.take(savings.found(deciding.state, tuple(deciding.events), inputs, now_ms))
    deciding.rest()
    return i.Step(
        events=tuple(deciding.events),
        state=deciding.state,
        actions=tuple(actions.due(deciding.state, inputs, deciding.events, now_ms)),
        wake=partial(_wake_ms, deciding.state, inputs, now_ms),
    )


def _is_done(event: e.Event) -> TypeGuard[e.AttemptEnded]:
    return isinstance(event, e.AttemptEnded) and event.outcome == "done"


def _is_only_word_of_it(inputs: i.Inputs, events: Iterable[e.Event]) -> bool:
    """Whether all that is new is that something was done as asked: nothing follows from that."""
    looked = inputs.commands or inputs.observations or inputs.lines or inputs.said
    if looked or not inputs.answers:
        return False
    return all(isinstance(x, _WORD_OF_IT) for x in events)


_WORD_OF_IT = (e.AttemptAccepted, e.StandbyAccepted, e.StopSent, e.SavingBooked)


def _take_answer(deciding: _Deciding, answer: i.Answer, inputs: i.Inputs, now_ms: int) -> None:
    name = _run_of(answer)
    run = deciding.state.runs[name]
    submission = getattr(answer, "submission", "")
    if submission in run.standbys:
        deciding.take(_of_standby(run, submission, answer, now_ms))
        return
    match answer:
        case i.Reserved(allocation):
            deciding.take(admission.begin(deciding.state, run, allocation, inputs, now_ms))
        case i.Refused():
            deciding.take(_refused(run, answer, now_ms))
        case i.Accepted(submission):
            deciding.take(
                e.AttemptAccepted(at_ms=now_ms, run=name, attempt=attempt.id)
                for attempt in actions.attempts_of(run, submission)
                if attempt.status == "planned"
            )
        case i.NotAccepted(submission, sentence):
            deciding.take(
                e.AttemptEnded(
                    at_ms=now_ms,
                    run=name,
                    attempt=attempt.id,
                    outcome="failed",
                    code=None,
                    reason="refused",
                    sentence=sentence,
                    started_ms=None,
                    ended_ms=None,
                )
                for attempt in actions.attempts_of(run, submission)
                if attempt.live
            )
        case i.NotReady(submission, sentence):
            deciding.take(
                e.AttemptEnded(
                    at_ms=now_ms,
                    run=name,
                    attempt=attempt.id,
                    outcome="unused",
                    code=None,
                    reason="standby-gone",
                    sentence=sentence,
                    started_ms=None,
                    ended_ms=None,
                )
                for attempt in actions.attempts_of(run, submission)
                if attempt.live
            )
        case i.Unanswered(submission, sentence):
            deciding.take(
                e.AttemptUnreachable(at_ms=now_ms, run=name, attempt=attempt.id, sentence=sentence)
                for attempt in actions.attempts_of(run, submission)
                if attempt.live and not attempt.unreachable
            )
        case i.Signalled(attempt_id, how):
            deciding.take([e.StopSent(at_ms=now_ms, run=name, attempt=attempt_id, how=how)])
        case i.Settled(allocation, charged_ms, shares):
            deciding.take(
                [
                    e.AllocationSettled(
                        at_ms=now_ms,
                        run=name,
                        allocation=allocation,
                        charged_ms=charged_ms,
                        shares=shares,
                    )
                ]
            )
        case i.Released(allocation, reason):
            deciding.take(
                [e.AllocationReleased(at_ms=now_ms, run=name, allocation=allocation, reason=reason)]
            )
        case i.Booked(_, saving):
            deciding.take([e.SavingBooked(at_ms=now_ms, run=name, saving=saving)])


def _of_standby(run: RunState, name: str, answer: i.Answer, now_ms: int) -> Iterator[e.Event]:
    """What came of starting it ahead. Where no answer came, it is done again."""
    match answer:
        case i.Accepted():
            if run.standbys[name].status == "planned":
                yield e.StandbyAccepted(at_ms=now_ms, run=run.name, attempt=name)
        case i.NotAccepted(_, sentence) | i.NotReady(_, sentence):
            yield standby.ended(run, run.standbys[name], sentence, now_ms, by_itself=True)


def _run_of(answer: i.Answer) -> str:
    match answer:
        case i.Accepted(name) | i.NotAccepted(name, _) | i.Unanswered(name, _):
            pass
        case i.NotReady(name, _):
            pass
        case i.Signalled(name, _):
            pass
        case i.Booked(name, _):
            return name
        case _:
            name = answer.allocation
    return run_of(name)


def _refused(run: RunState, answer: i.Refused, now_ms: int) -> Iterator[e.Event]:
    yield e.AllocationRefused(
        at_ms=now_ms,
        run=run.name,
        allocation=answer.allocation,
        reason=answer.reason,
        sentence=answer.sentence,
        until_ms=answer.until_ms,
        again_ms=answer.again_ms,
    )
    for attempt in run.allocations[answer.allocation].attempts:
        yield e.JobWaited(
            at_ms=now_ms,
            run=run.name,
            job=job_of(attempt),
            reason=answer.reason,
            sentence=answer.sentence,
            until_ms=answer.again_ms,
        )


def _advance(deciding: _Deciding, inputs: i.Inputs, now_ms: int) -> None:
    """End what has ended, start what may start, until nothing more follows."""
    again = ended = True
    while again:
        if ended:
            for name in deciding.moving(inputs):
                if deciding.state.runs[name].live:
                    _advance_run(deciding, name, inputs, now_ms)
        # Over all runs: accelerators are given to what comes first among all that wait.
        admitted = accelerators.admit(deciding.state, inputs, now_ms)
        again = deciding.take(admitted)
        # Of all that is said there, only the end of a job means something to other jobs.
        ended = any(isinstance(event, e.JobEnded) for event in admitted)
    deciding.take(standby.drop(deciding.state, now_ms))
    deciding.take(standby.plan(deciding.state, inputs, now_ms))
    for run in deciding.state.unsettled:
        if (deciding.is_new or run.name in deciding.touched) and run.live and not run.open_jobs:
            deciding.take([endings.end_of(run, now_ms)])


def _advance_run(deciding: _Deciding, name: str, inputs: i.Inputs, now_ms: int) -> None:
    again = True
    while again:
        again = False
        run = deciding.state.runs[name]
        for job in endings.may_end(run):
            if deciding.take(endings.end_jobs(run, run.graph.job(job), now_ms)):
                again = True
                run = deciding.state.runs[name]
        again |= deciding.take(
            cpu_pass.admit(
                deciding.state, run, inputs, now_ms, something_ended=deciding.something_ended
            )
        )


def _wake_ms(state: State, inputs: i.Inputs, now_ms: int) -> int | None:
    due = [job.until_ms for run in state.with_timed for job in run.timed]
    due += [asked.until_ms for run in state.asking for asked in open_questions(run)]
    due += quiet.next_ms(state, inputs, now_ms)
    return min((at_ms for at_ms in due if at_ms is not None and at_ms > now_ms), default=None)
