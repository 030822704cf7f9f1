from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from notifiers.base import Notice
from orchestrator.events import events as e
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.words.announce import notices
from tests.orchestrator.worlds import kfold

EVENING = round(datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
NIGHT = {"channel": "C0123456789", "quiet": "22:00-07:00", "timezone": "Europe/Berlin"}
MORNING = EVENING + 10 * HOUR_MS
"""07:00 in Berlin."""


class Night:
    """Events one after the other, and what the place is told of each."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.state = State()
        graph = replace(kfold(), notify={"slack": {**NIGHT, **settings}}).to_json()
        for name in names:
            self.tell(e.RunSubmitted(at_ms=EVENING, run=name, graph=graph))

    def tell(self, *events: e.Event) -> list[Notice]:
        self.state = apply_all(self.state, events)
        return [notice for _, notice in notices(events, self.state)]

    def digest(self, *events: e.Event) -> Notice | None:
        found = [notice for notice in self.tell(*events) if notice.not_before_ms]
        assert len(found) <= 1
        return found[0] if found else None


def ended(run: str, hours: float) -> e.RunEnded:
    at_ms = EVENING + round(hours * HOUR_MS)
    return e.RunEnded(at_ms=at_ms, run=run, outcome="failed", sentence="2 done, 1 failed")


def asked(run: str, hours: float) -> e.VerdictGiven:
    at_ms = EVENING + round(hours * HOUR_MS)
    return e.VerdictGiven(
        at_ms=at_ms, run=run, rule="curve", action="ask", scope="group", target="train",
        reason="below", sentence="below all others", until_ms=at_ms + 600_000,
    )  # fmt: skip


def test_what_was_hushed_is_said_in_one_message_when_the_night_is_over() -> None:
    night = Night("s-1", "s-2", "s-3")
    assert night.digest(asked("s-1", 0.5)) is None  # half past nine: it was said aloud
    first = night.digest(asked("s-2", 3))
    answer = e.VerdictAnswered(
        at_ms=EVENING + 3 * HOUR_MS + 600_000, run="s-2", rule="curve", target="train",
        given_ms=EVENING + 3 * HOUR_MS, answer="stop", by="time-out",
    )  # fmt: skip
    second = night.digest(answer)
    third = night.digest(ended("s-3", 5))
    assert first is not None
    assert second is not None
    assert third is not None
    assert [one.not_before_ms for one in (first, second, third)] == [MORNING] * 3
    # One message, of which the outbox keeps the newest.
    assert len({one.run for one in (first, second, third)}) == 1
    assert {one.topic for one in (first, second, third)} == {"head"}
    assert len({one.key for one in (first, second, third)}) == 3
    assert first.lines == ("s-2: train: below all others; waits for an answer",)
    assert third.lines == (
        "s-2: train: below all others; was stopped",
        "s-3: failed · 2 done, 1 failed",
    )
    assert third.headline == "quiet hours to 2026-11-23 07:00 · 1 run ended"


def test_what_a_rule_stopped_by_itself_is_in_it_and_a_warning_is_not() -> None:
    night = Night("s-1", "s-2")
    night.tell(replace(asked("s-1", 3), action="warn"))
    told = night.digest(replace(asked("s-2", 3), action="stop"))
    assert told is not None
    assert told.lines == ("s-2: train: below all others; was stopped",)


def test_the_next_night_has_a_message_of_its_own() -> None:
    night = Night("s-1", "s-2")
    first, second = night.digest(ended("s-1", 3)), night.digest(ended("s-2", 27))
    assert first is not None
    assert second is not None
    assert first.run != second.run
    assert second.lines == ("s-2: failed · 2 done, 1 failed",)


def test_at_the_level_of_ends_questions_are_left_out() -> None:
    night = Night("s-1", "s-2", level="end")
    assert night.digest(asked("s-1", 3)) is None
    told = night.digest(ended("s-2", 4))
    assert told is not None
    assert told.lines == ("s-2: failed · 2 done, 1 failed",)


def test_in_the_night_a_decision_is_seen_by_the_channel_and_an_end_is_not() -> None:
    night = Night("s-1", mention=["U0123456"])
    question = [notice for notice in night.tell(asked("s-1", 3)) if notice.about == "decision"]
    assert [(notice.topic, notice.mention) for notice in question] == [("alert", ())]
    end = [notice for notice in night.tell(ended("s-1", 4)) if notice.about == "end"]
    assert [notice.topic for notice in end] == ["reply"]


def test_without_quiet_hours_there_is_no_digest() -> None:
    night = Night("s-1", quiet=None)
    assert night.digest(ended("s-1", 3)) is None
