"""What a key that changes something asks first, or sends at once. Pure."""

from __future__ import annotations

from orchestrator.commands import ResumeJobs
from orchestrator.dashboard.keys import Situation, questions_of, target_of
from orchestrator.dashboard.questions.question import (
    BY,
    Choice,
    Question,
    abort_question,
    asked_of,
    cancel_question,
    hold_question,
    pause_question,
    several,
    verdict_question,
)
from orchestrator.events.verdict import VerdictGiven
from orchestrator.state.state import RunState

ASKS = ("cancel", "abort", "pause", "retry", "verdict", "hold")
"""Keys that ask before anything is sent."""
SENDS = ("resume",)
"""Keys that take nothing away and reserve nothing new, and are sent at once."""


def question_of(action: str, now: Situation) -> Question:
    """Of a key of `ASKS`. ValueError, with the reason, where there is nothing to ask."""
    now_ms = now.screen.now_ms
    if action == "cancel":
        runs = {run.name: (run, "") for run, _ in now.targets}
        asked = asked_of(lambda run, _: cancel_question(run, now_ms), runs.values())
        return several(asked, "cancel")
    if action == "abort":
        jobs = [(run, job) for run, job in now.targets if job]
        return several(asked_of(lambda run, job: abort_question(run, job, now_ms), jobs), "abort")
    if action == "pause":
        asked = asked_of(lambda run, job: pause_question(run, job, now_ms), now.targets)
        return several(asked, "pause")
    if action == "retry":
        from orchestrator.dashboard.questions.retry_question import retry_question  # forecasts, too

        return retry_question(now.targets, now.screen)
    if action == "hold":
        accounts = [run.graph.account for run, _ in now.targets]
        return hold_question(now.screen.state.holds, accounts[0] if accounts else None)
    return verdict_question(*_urgent(now), now_ms)


def sent_at_once(action: str, now: Situation) -> Choice:
    """Of a key of `SENDS`."""
    requests = []
    for run, job in now.targets:
        scope, target = target_of(run, job)
        requests.append(ResumeJobs(run=run.name, scope=scope, target=target, by=BY))
    return Choice("", action, tuple(requests), action)


def _urgent(now: Situation) -> tuple[RunState, VerdictGiven]:
    """The question about the selected run if there is one, else the most urgent of all."""
    found = questions_of(now.screen)
    if not found:
        raise ValueError("no stop rule asks anything now")
    names = [run.name for run, _ in now.targets]
    return next((one for one in found if one[0].name in names), found[0])
