from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from notifiers.base import About, Button, Notice, Topic
from orchestrator.words.place import Place, for_place, place_of

NOON = round(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
MIDNIGHT = NOON + 12 * 3_600_000
SLACK = {"channel": "C0123456789", "allow": ["U0000001"], "mention": ["U0000001"]}
NIGHT = {**SLACK, "quiet": "22:00-07:00", "timezone": "Europe/Berlin"}


def slack(**more: Any) -> Place:
    return place_of("slack", {**SLACK, **more})


def notice(topic: Topic, about: About = "news", at_ms: int = NOON) -> Notice:
    by = "aborted by slack:U0000001"
    return Notice(
        "s-1", topic, "k", by, (by,), ((by, by),), buttons=(Button("Stop", "{}"),),
        typed=("skint cancel s-1",), about=about, at_ms=at_ms,
    )  # fmt: skip


def shown(notice: Notice, place: Place) -> tuple[Topic, bool] | None:
    got = for_place(notice, place)
    return None if got is None else (got.topic, bool(got.mention))


@pytest.mark.parametrize(
    ("about", "all", "decisions", "end"),
    [
        ("news", True, False, False),
        ("trouble", True, True, False),
        ("quota", True, True, False),
        ("decision", True, True, False),
        ("end", True, True, True),
    ],
)
def test_a_level_leaves_out_what_matters_less(
    about: About, all: bool, decisions: bool, end: bool
) -> None:
    for level, said in {"all": all, "decisions": decisions, "end": end}.items():
        got = for_place(notice("alert", about), slack(level=level))
        assert (got is not None) == said
        assert for_place(notice("head"), slack(level=level)) is not None


def test_slacks_channel_sees_decisions_hours_and_the_end_and_a_decision_wakes() -> None:
    abouts: tuple[About, ...] = ("trouble", "quota", "decision", "end")
    assert [shown(notice("alert", about), slack()) for about in abouts] == [
        ("reply", False),
        ("alert", False),
        ("alert", True),
        ("alert", False),
    ]


def test_in_quiet_hours_the_channel_sees_decisions_only_and_nobody_is_woken() -> None:
    place = place_of("slack", NIGHT)
    abouts: tuple[About, ...] = ("trouble", "quota", "decision", "end")
    assert [shown(notice("alert", about, MIDNIGHT), place) for about in abouts] == [
        ("reply", False),
        ("alert", False),
        ("alert", False),
        ("reply", False),
    ]
    assert shown(notice("alert", "decision", NOON), place) == ("alert", True)


def test_that_hours_run_low_is_kept_back_until_the_quiet_hours_end() -> None:
    for place in (
        place_of("slack", NIGHT),
        place_of("apprise", {"quiet": "22:00-07:00", "timezone": "UTC"}),
    ):
        got = for_place(notice("alert", "quota", MIDNIGHT), place)
        assert got is not None
        assert got.not_before_ms - MIDNIGHT in (6 * 3_600_000, 7 * 3_600_000)
        by_day = for_place(notice("alert", "quota"), place)
        assert by_day is not None
        assert by_day.not_before_ms == 0


def test_an_answer_to_a_decision_wakes_nobody() -> None:
    assert shown(notice("reply", "decision"), slack()) == ("reply", False)


def test_buttons_are_taken_away_where_there_were_some() -> None:
    edit = replace(notice("reply", "decision"), edits="question")
    assert for_place(edit, slack()) is not None
    assert for_place(edit, slack(allow=[])) is None
    assert for_place(edit, place_of("console", {})) is None


def test_buttons_are_there_where_somebody_may_press() -> None:
    with_buttons = for_place(notice("head"), slack())
    without = for_place(notice("head"), slack(allow=[]))
    assert with_buttons is not None
    assert without is not None
    assert (len(with_buttons.buttons), len(without.buttons)) == (1, 0)
    assert without.typed == ("skint cancel s-1",)


def test_persons_are_in_words_everywhere_but_on_slack() -> None:
    words = "aborted by a person on Slack (U0000001)"
    there, here = (
        for_place(notice("head"), slack()),
        for_place(notice("head"), place_of("console", {})),
    )
    assert there is not None
    assert here is not None
    assert there.title == "aborted by slack:U0000001"
    assert (here.title, here.lines, here.fields) == (words, (words,), ((words, words),))
    assert replace(here, buttons=()) == here
