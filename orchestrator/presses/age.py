"""Whether what was typed still means what it says when it is read: docs/decisions/0023. Pure.

A button knows what it is about. Words and reactions do not: they are read against the run as it is
by then, which may be long after, where no scheduler ran or Socket Mode listened meanwhile.
"""

from __future__ import annotations

from budget.instant import format_instant
from orchestrator.presses.meaning import Refusal
from orchestrator.presses.press import Press
from orchestrator.presses.typed import Wish
from orchestrator.state.state import RunState

LONGEST_REPLY_MS = 3_600_000
"""From when a reply was written until it is read for the first time."""
LONGEST_GAP_MS = 300_000
"""A reaction bears no time: its head must have been looked at without it so shortly before."""
CLOCKS_MS = 5_000
"""How far Slack's clock may be behind this machine's."""


def late_reply(wish: Wish, written_ms: int, now_ms: int, zone: str) -> Refusal | None:
    """Why a reply that is read for the first time now does not count any more; None: it does."""
    if now_ms - written_ms <= LONGEST_REPLY_MS:
        return None
    return Refusal(
        "late",
        f"nothing was done: `{words_of(wish)}`, written {format_instant(written_ms, zone)}, was"
        " read only now, more than an hour later. If you still want it, reply again.",
    )


def late_reaction(name: str, wish: Wish, looked_ms: int, now_ms: int) -> Refusal | None:
    """The same for a reaction to a head that was last looked at, or posted, at `looked_ms`."""
    if now_ms - looked_ms <= LONGEST_GAP_MS:
        return None
    return Refusal(
        "late",
        f"nothing was done: nobody looked when :{name}: was given, so it may be old. If you still"
        f" want it, reply `{words_of(wish)}` here.",
    )


def early_reply(wish: Wish, press: Press, run: RunState, written_ms: int) -> Refusal | None:
    """Why a reply does not count that was written before what it would mean now."""
    if written_ms >= since_ms(wish, press, run) - CLOCKS_MS:
        return None
    asked = press.do in ("let-run", "stop")
    since = "that question was asked" if asked else "things moved on to where they are"
    return Refusal(
        "early",
        f"nothing was done: `{words_of(wish)}` was written before {since}. If it is meant for what"
        " is there now, reply again.",
    )


def since_ms(wish: Wish, press: Press, run: RunState) -> int:
    """When `wish` began to mean `press`; 0 where it always did."""
    if press.do in ("let-run", "stop"):
        target = press.target or run.name
        return max(v.at_ms for v in run.verdicts if (v.target, v.rule) == (target, press.rule))
    if press.do == "resume":
        return max((stop.at_ms for stop in run.stops if stop.then == "end"), default=0)
    since = [again.at_ms for again in run.resumptions]
    if press.do == "abort-fold" and not wish.which:
        # The one that runs: it is that since the last other one ended.
        since += [
            attempt.ended_ms
            for attempt in run.attempts.values()
            if attempt.ended_ms is not None
            and attempt.job != press.target
            and run.graph.job(attempt.job).fold is not None
        ]
    return max(since, default=0)


def words_of(wish: Wish) -> str:
    """What to type for it."""
    if wish.do == "go-on":
        return "let it run"
    said = {"abort-fold": "abort fold", "abort-run": "abort run", "let-run": "let it run"}
    words = said.get(wish.do, wish.do)
    if wish.which and not wish.which.isdecimal():
        words = words.split()[0]  # `abort train.fold3`
    return f"{words} {wish.which}".rstrip()
