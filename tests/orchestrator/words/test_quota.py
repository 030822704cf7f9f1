from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from budget.accounts.limit import Limit, weekly
from budget.ledger.balance import Balance, LimitBalance
from budget.windows import PerSession, Rolling, Window
from orchestrator.events import events as e
from orchestrator.forecasts.forecasting import Queue
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.words.quota import alerts
from tests.orchestrator.words.samples import folds, said, told
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, kfold

WEEK = Window(SATURDAY_MS, SATURDAY_MS + 168 * HOUR_MS)
NOW_MS = SATURDAY_MS + 50 * HOUR_MS
QUEUE = Queue(3, 4 * HOUR_MS, 6 * HOUR_MS, 7 * HOUR_MS, 5 * HOUR_MS, HOUR_MS, 6 * HOUR_MS)


def balance(used_h: float, *, limit: Limit | None = None, reserved_ms: int = 0) -> Balance:
    week = LimitBalance(
        "lab", limit or weekly(30 * HOUR_MS), WEEK, 30 * HOUR_MS,
        settled_ms=round(used_h * HOUR_MS), in_flight_ms=0, reserved_ms=reserved_ms,
        next_gain_ms=WEEK.end_ms,
    )  # fmt: skip
    return Balance("lab", (week,))


def runs(*names: str) -> State:
    graph = replace(kfold(), notify={"slack": {"channel": "C0123456789"}}).to_json()
    return apply_all(State(), [e.RunSubmitted(at_ms=1, run=name, graph=graph) for name in names])


def said_of(has: Balance, queue: Queue | None = None, state: State | None = None) -> list[str]:
    queues = {"lab": queue} if queue else {}
    found = alerts(state or runs("s-1"), {"lab": has}, queues, NOW_MS)
    return said(notice for _, notice in found)


@pytest.mark.parametrize(
    ("used_h", "title"),
    [
        (14.9, None),
        (15.0, "50 % of lab is used: 15.00 h of 30.00 h"),
        (24.0, "80 % of lab is used: 24.00 h of 30.00 h"),
        (28.5, "95 % of lab is used: 28.50 h of 30.00 h"),
        (31.0, "95 % of lab is used: 31.00 h of 30.00 h"),
    ],
)
def test_each_level_is_told_when_it_is_reached(used_h: float, title: str | None) -> None:
    found = said_of(balance(used_h))
    left = f"{30 - used_h:.2f} h left; hours come back Sat 28 Nov 2026 00:00 UTC"
    assert found == ([f"alert: {title} · {left}"] if title else [])


def test_what_is_only_reserved_is_not_used() -> None:
    assert said_of(balance(10, reserved_ms=19 * HOUR_MS)) == []


def test_the_key_is_the_limit_its_window_and_the_level_whoever_runs() -> None:
    keys = {
        notice.key
        for names in (("s-1",), ("s-2", "s-3"))
        for used_h in (25, 26)
        for _, notice in alerts(runs(*names), {"lab": balance(used_h)}, {}, NOW_MS)
    }
    assert keys == {f"quota/lab/weekly/{SATURDAY_MS}/80"}
    next_week = replace(
        balance(25).limits[0], window=Window(WEEK.end_ms, WEEK.end_ms + 168 * HOUR_MS)
    )
    ((_, notice),) = alerts(runs("s-1"), {"lab": Balance("lab", (next_week,))}, {}, NOW_MS)
    assert notice.key not in keys


def test_a_rolling_window_is_told_once_in_its_length() -> None:
    def key(now_ms: int) -> str:
        limit = Limit(30 * HOUR_MS, Rolling(168 * HOUR_MS))
        has = replace(balance(25, limit=limit).limits[0], window=Window(now_ms - 5, now_ms + 5))
        ((_, notice),) = alerts(runs("s-1"), {"lab": Balance("lab", (has,))}, {}, now_ms)
        return notice.key

    assert key(NOW_MS) == key(NOW_MS + HOUR_MS)
    assert key(NOW_MS) != key(NOW_MS + 168 * HOUR_MS)


def test_a_limit_of_each_session_runs_low_in_no_window() -> None:
    assert said_of(balance(29, limit=Limit(30 * HOUR_MS, PerSession(), "session"))) == []


def test_a_forecast_that_does_not_fit_says_by_how_much() -> None:
    assert said_of(balance(28), QUEUE)[1:] == [
        "alert: lab is short by 3.00 h (1.00–4.00) for 3 jobs that run or wait"
        " · 2.00 h left; hours come back Sat 28 Nov 2026 00:00 UTC"
    ]


@pytest.mark.parametrize(
    "queue",
    [
        replace(QUEUE, low_ms=0),  # nothing of it is measured: it may fit
        replace(QUEUE, likely_ms=3 * HOUR_MS + HOUR_MS // 2),  # short by less than it knows
        replace(QUEUE, held_ms=5 * HOUR_MS),
    ],
)
def test_a_forecast_that_may_fit_raises_no_alarm(queue: Queue) -> None:
    assert said_of(balance(28), queue)[1:] == []


def test_runs_that_have_ended_and_other_accounts_are_not_told() -> None:
    state = runs("s-1")
    ended = e.RunEnded(at_ms=2, run="s-1", outcome="done", sentence="")
    assert said_of(balance(29), state=apply_all(state, [ended])) == []
    assert alerts(state, {"other": balance(29)}, {}, NOW_MS) == []


def test_a_run_that_uses_up_its_week_is_told_each_level_once(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5] * 9] * 3), week_ms=round(0.55 * HOUR_MS))
    graph = replace(kfold(limit_s=600), notify={"memory": {}})
    found = [notice for notice in told(world, graph) if notice.about == "quota"]
    keys = [f"quota/lab/weekly/{SATURDAY_MS}/{level}" for level in (50, 80)]
    assert list(dict.fromkeys(notice.key for notice in found)) == keys
    assert len(found) > len(keys)  # said at each epoch; the outbox takes it once
    assert found[0].title == "50 % of lab (simulated) is used: 0.28 h of 0.55 h"
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        kept = [key for (key,) in connection.execute("select key from outbox order by id")]
    assert [key for key in kept if key.startswith("quota/")] == keys
