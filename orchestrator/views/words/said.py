"""What stop rules have said of a run, and what came of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from budget.instant import format_instant
from orchestrator.events.verdict import Answer, StopScope, VerdictAction
from orchestrator.state.questions import answer_to, open_questions
from orchestrator.state.state import RunState
from orchestrator.views.words.persons import by_whom, in_words

_DID = {"stop": "stopped", "park": "parked", "ask": "asked about", "warn": "warned of"}
_ANSWERS = {"stop": "stop", "let-run": "let it run"}


@dataclass(frozen=True)
class Said:
    """One verdict."""

    at_ms: int
    rule: str
    action: VerdictAction
    scope: StopScope
    target: str
    sentence: str
    default: Answer | None = None
    """Of a question: what holds where nobody answers until `until_ms`."""
    until_ms: int | None = None
    answer: Answer | None = None
    by: str = ""
    """Who answered; `time-out` where nobody did."""
    open: bool = False
    """It waits for an answer."""


def said_of(run: RunState) -> tuple[Said, ...]:
    """All of them, the oldest first."""
    waiting = open_questions(run)
    found = []
    for verdict in run.verdicts:
        answer = answer_to(run, verdict)
        asked = verdict.action == "ask"
        found.append(
            Said(
                at_ms=verdict.at_ms,
                rule=verdict.rule,
                action=verdict.action,
                scope=verdict.scope,
                target=verdict.target,
                sentence=verdict.sentence,
                default=verdict.default if asked else None,
                until_ms=verdict.until_ms if asked else None,
                answer=answer.answer if answer else None,
                by=answer.by if answer else "",
                open=verdict in waiting,
            )
        )
    return tuple(found)


def resumed_lines(run: RunState) -> list[str]:
    """ "train by somebody at the command line, Sun 22 Nov 2026 15:40 UTC"."""
    return [
        f"{again.target} by {in_words(by_whom(again.by))}, {format_instant(again.at_ms, 'UTC')}"
        for again in run.resumptions
    ]


def said_line(said: Said) -> str:
    """ "chance asked about train: the best score is …; let it run, said somebody at the command
    line"."""
    text = f"{said.rule} {_DID[said.action]} {said.target}: {said.sentence}"
    if said.answer is None:
        return text
    if said.by == "time-out":
        return f"{text}; {by_whom(said.by)}: {_ANSWERS[said.answer]}"
    return f"{text}; {_ANSWERS[said.answer]}, said {in_words(by_whom(said.by))}"
