"""Holds in words: what is held, by whom and why, and what ends it. Pure."""

from __future__ import annotations

from budget.instant import format_instant
from orchestrator.events.holding import Hold
from orchestrator.views.words.persons import by_whom, in_words


def what_is_held(account: str, lane: str) -> str:
    """ "at all", "on kaggle-gpu", "in the cpu lane", "in the cpu lane on kaggle-gpu"."""
    return _where(account, lane) or "at all"


def where_held(account: str, lane: str) -> str:
    """Of what starts again or is still held: "everywhere", "on kaggle-gpu", …"""
    return _where(account, lane) or "everywhere"


def _where(account: str, lane: str) -> str:
    parts = [f"in the {lane} lane"] if lane else []
    parts += [f"on {account}"] if account else []
    return " ".join(parts)


def undone_by(account: str, lane: str) -> str:
    """The command that ends this hold alone; it is the only one of its account and lane."""
    options = [f"--account {account}"] if account else []
    options += [f"--lane {lane}"] if lane else []
    return " ".join(["skint release", *options])


def hold_line(hold: Hold) -> str:
    """ "no new job starts on lab: too warm · held by ana since Sun 22 Nov 2026 14:02 UTC ·
    skint release --account lab"."""
    why = f": {hold.reason}" if hold.reason else ""
    who = f"held by {in_words(by_whom(hold.by))} since {format_instant(hold.since_ms, 'UTC')}"
    undo = undone_by(hold.account, hold.lane)
    return f"no new job starts {what_is_held(hold.account, hold.lane)}{why} · {who} · {undo}"


def held_why(hold: Hold) -> str:
    """Why one job waits: "held by ana since …: maintenance"."""
    who = f"held by {in_words(by_whom(hold.by))} since {format_instant(hold.since_ms, 'UTC')}"
    return f"{who}: {hold.reason}" if hold.reason else who
