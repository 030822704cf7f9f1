"""What is asked before something is stopped: what it has cost, and what stopping it frees. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from budget.duration import format_clock
from orchestrator.commands import (
    AnswerVerdict,
    PauseJobs,
    ReleaseHold,
    Request,
    SetHold,
    StopJobs,
)
from orchestrator.events.holding import Hold
from orchestrator.events.verdict import Answer, VerdictGiven
from orchestrator.graph import Job
from orchestrator.state.questions import jobs_meant
from orchestrator.state.state import RunState
from orchestrator.views.run.stake import Facts, live_titles, money_facts, settled_ms, work_facts
from orchestrator.views.words.hold import where_held
from orchestrator.views.words.job import title_of

BY = "dashboard"


@dataclass(frozen=True)
class Choice:
    """One way to answer. Without requests nothing is done."""

    key: str
    label: str
    requests: tuple[Request, ...] = ()
    what: str = ""
    """What is sent, for the line that says that it can still be undone: "cancel of bold-1"."""
    undoable: bool = False
    """It is sent only after a while, so that it can be taken back."""
    grave: bool = False


@dataclass(frozen=True)
class Question:
    title: str
    facts: Facts
    """(name, sentence), a line each."""
    choices: tuple[Choice, ...]
    """The first one is what is meant; escape is none of them."""

    @property
    def request(self) -> Request:
        """What is asked of the scheduler if the answer is the first choice."""
        return self.choices[0].requests[0]


def cancel_question(run: RunState, now_ms: int) -> Question:
    """Stop all of a run. ValueError if it has ended: there is nothing to ask."""
    if not run.live:
        raise ValueError(f"{run.name} has ended already: {run.outcome}")
    jobs = [job for job in run.graph.jobs if not run.jobs[job.id].ended]
    paid_ms = sum(allocation.charged_ms for allocation in run.allocations.values())
    request = StopJobs(run=run.name, scope="run", target=run.name, by=BY)
    return Question(
        title=f"Cancel the run {run.name}?",
        facts=(*money_facts(run, jobs, paid_ms, now_ms), *work_facts(run, jobs)),
        choices=_yes_or_no("cancel it", "let it run", request, f"cancel of {run.name}"),
    )


def abort_question(run: RunState, job_id: str, now_ms: int) -> Question:
    """Stop one job, mostly a fold. ValueError if it has ended."""
    job, title = _open_job(run, job_id)
    later = sum(job_id in other.needs for other in run.graph.jobs)
    needed = "; what needs it is skipped" if later else ""
    request = StopJobs(run=run.name, scope="attempt", target=job_id, reason="aborted", by=BY)
    return Question(
        title=f"Abort {title} of {run.name}?",
        facts=(
            *money_facts(run, [job], settled_ms(run, [job]), now_ms),
            *work_facts(run, [job]),
            ("others", f"go on{needed}"),
        ),
        choices=_yes_or_no("abort it", "let it run", request, f"abort of {title} of {run.name}"),
    )


def pause_question(run: RunState, job_id: str, now_ms: int) -> Question:
    """Park a run, or one job of it (`job_id` may be empty), until somebody resumes it. ValueError
    if it has ended, or waits for that already."""
    if job_id:
        job, title = _open_job(run, job_id)
        jobs, what = [job], f"{title} of {run.name}"
        request = PauseJobs(run=run.name, scope="attempt", target=job_id, by=BY)
    else:
        if not run.live:
            raise ValueError(f"{run.name} has ended already: {run.outcome}")
        jobs = [job for job in run.graph.jobs if not run.jobs[job.id].ended]
        what = f"the run {run.name}"
        request = PauseJobs(run=run.name, scope="run", target=run.name, by=BY)
    if all(run.jobs[job.id].paused for job in jobs):
        raise ValueError(f"{what} is paused already; r resumes it")
    parking = [job for job in jobs if job.devices and job.resumes]
    parks = live_titles(run, parking)
    ending = [job for job in jobs if job not in parking and live_titles(run, [job])]
    runs_on = live_titles(run, ending)
    facts = (
        *_money_of_pause(run, jobs, ending, now_ms),
        ("parks", ", ".join(parks) if parks else "nothing that runs; what waits is not started"),
        *(
            [("runs on", f"{', '.join(runs_on)}, to its end: it cannot be parked")]
            if runs_on
            else []
        ),
        *([("kept", "a checkpoint: it goes on to the bit when r resumes it")] if parks else []),
    )
    return Question(
        title=f"Pause {what}?",
        facts=facts,
        choices=_yes_or_no("pause it", "let it run", request, f"pause of {what}"),
    )


def _money_of_pause(
    run: RunState, jobs: Sequence[Job], ending: Sequence[Job], now_ms: int
) -> Facts:
    """What runs on to its end frees nothing."""
    facts = money_facts(run, jobs, settled_ms(run, jobs), now_ms)
    if not ending:
        return facts
    rest = [job for job in jobs if job not in ending]
    freed = dict(money_facts(run, rest, 0, now_ms)).get("freed", "nothing")
    return tuple((name, freed if name == "freed" else words) for name, words in facts)


def several(questions: Sequence[Question], does: str) -> Question:
    """One question for what was marked: "Cancel 3 of them?", with a line for each."""
    if len(questions) == 1:
        return questions[0]
    requests = tuple(one for asked in questions for one in asked.choices[0].requests)
    facts = tuple(
        (
            asked.title.split(" ", 1)[1].rstrip("?"),
            "; ".join(words for name, words in asked.facts if name in ("charged", "freed")),
        )
        for asked in questions
    )
    count = f"{len(questions)} that are marked"
    yes = Choice("y", f"{does} all of them", requests, f"{does} of {count}", True, True)
    return Question(f"{does.capitalize()} {count}?", facts, (yes, Choice("n", "change nothing")))


def verdict_question(run: RunState, asked: VerdictGiven, now_ms: int) -> Question:
    """What a stop rule asks, to be answered here."""
    jobs = [
        job
        for job in jobs_meant(run.graph, asked.scope, asked.target)
        if not run.jobs[job.id].ended
    ]
    left_ms = max(0, (asked.until_ms or now_ms) - now_ms)
    would = "stopped" if asked.would == "stop" else "parked"
    then = "it goes on" if asked.default == "let-run" else f"it is {would}"
    verb = "Stop" if asked.would == "stop" else "Park"

    def answer(said: Answer) -> tuple[Request, ...]:
        return (
            AnswerVerdict(run=run.name, rule=asked.rule, target=asked.target, answer=said, by=BY),
        )

    return Question(
        title=f"{verb} {asked.target} of {run.name}?",
        facts=(
            (asked.rule, asked.sentence),
            *money_facts(run, jobs, settled_ms(run, jobs), now_ms),
            ("unanswered", f"{then} in {format_clock(left_ms)}"),
        ),
        choices=(
            Choice("s", f"{verb.lower()} it now", answer("stop"), "the answer", grave=True),
            Choice("l", "let it run", answer("let-run"), "the answer"),
            Choice("n", "decide later"),
        ),
    )


def hold_question(holds: Sequence[Hold], account: str | None) -> Question:
    """Start nothing new, on the account of the line or at all; or end the holds there are."""
    if holds:
        names = ", ".join(where_held(hold.account, hold.lane) for hold in holds)
        release = Choice("y", "release", (ReleaseHold(by=BY),), "the release")
        facts: Facts = (
            ("held", names),
            ("then", "jobs that wait start again as hours and devices allow"),
        )
        return Question("Release all holds?", facts, (release, Choice("n", "keep them")))
    facts = (
        ("holds", "no new job starts, CPU work included, until h releases it"),
        ("runs", "what runs goes on; nothing is lost"),
    )
    everything = Choice("y", "hold everything", (SetHold(by=BY),), "the hold")
    choices = [everything, Choice("n", "hold nothing")]
    if account:
        one = (SetHold(account=account, by=BY),)
        choices.insert(1, Choice("a", f"hold {account}", one, "the hold"))
        facts = (*facts, (account, "can be held alone: then CPU work goes on"))
    return Question("Start no new jobs?", facts, tuple(choices))


def asked_of(
    ask: Callable[[RunState, str], Question], targets: Iterable[tuple[RunState, str]]
) -> list[Question]:
    """A question for each target that can be asked about. ValueError, with the reason of the first
    one, where there is none."""
    found: list[Question] = []
    why = ""
    for run, job in targets:
        try:
            found.append(ask(run, job))
        except ValueError as error:
            why = why or str(error)
    if not found:
        raise ValueError(why or "nothing is selected")
    return found


def _yes_or_no(yes: str, no: str, request: Request, what: str) -> tuple[Choice, ...]:
    return (
        Choice("y", f"Yes, {yes}", (request,), what, undoable=True, grave=True),
        Choice("n", f"No, {no}"),
    )


def _open_job(run: RunState, job_id: str) -> tuple[Job, str]:
    job, state = run.graph.job(job_id), run.jobs[job_id]
    title = title_of(run, job)
    if not run.live or state.ended:
        raise ValueError(f"{title} of {run.name} has ended already: {state.status}")
    return job, title
