"""The keys of the main screen: in the guide, and none of them twice."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.dashboard.keys import KEYS, Situation, hints
from orchestrator.dashboard.reading.snapshot import Screen

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "dashboard.md"


def test_the_guide_has_every_key_with_what_it_does_and_no_other() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.M)
    assert rows == [(key.shown, key.does) for key in KEYS]


def test_no_key_and_no_action_is_given_twice() -> None:
    assert len({key.key for key in KEYS}) == len({key.action for key in KEYS}) == len(KEYS)


def test_where_nothing_is_selected_the_scheduler_can_be_started_and_help_be_had() -> None:
    shown = [key.action for key in hints(Situation(Screen(now_ms=1)))]
    assert shown == ["start", "help", "command_palette", "quit"]
    shown = [key.action for key in hints(Situation(Screen(now_ms=1), read_only=True))]
    assert shown == ["help", "command_palette", "quit"]
