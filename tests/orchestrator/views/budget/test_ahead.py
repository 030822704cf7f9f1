"""What is still to run on an account, and in which job its hours end."""

from __future__ import annotations

from pathlib import Path

from orchestrator.forecasts.history import History
from orchestrator.views.budget.ahead import Ahead, ahead_of, dry_of
from tests.orchestrator.dashboard.screens import second_fold
from tests.orchestrator.worlds import HOUR_MS, World


def ahead(run: str, cost_h: float, *, runs: bool = False, account: str = "lab") -> Ahead:
    ms = round(cost_h * HOUR_MS)
    return Ahead(run, "train", "train", account, runs, ms, ms, True)


def test_what_runs_comes_first_and_what_waits_is_as_long_as_what_has_run(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    account = world.ledger.account("lab")
    found = ahead_of(world.scheduler.state, account, world.clock.now_ms(), History())
    assert [(one.title, one.runs, one.measured) for one in found] == [
        ("fold 1 (2 of 3)", True, True),
        ("fold 2 (3 of 3)", False, True),
    ]
    assert 0 < found[0].cost_ms < found[1].cost_ms
    assert abs(found[1].cost_ms - 0.375 * HOUR_MS) < 0.1 * HOUR_MS


def test_hours_end_in_the_job_that_does_not_fit_any_more(tmp_path: Path) -> None:
    world = World(tmp_path, week_ms=4 * HOUR_MS)
    now_ms = world.clock.now_ms()
    (limit,) = world.ledger.balance("lab", now_ms).limits
    jobs = [ahead("a", 1, runs=True), ahead("b", 2), ahead("c", 2), ahead("d", 9, account="x")]
    dry = dry_of(limit, jobs, {"lab"}, now_ms)
    assert dry is not None
    assert (dry.run, dry.at_ms) == ("c", now_ms + 4 * HOUR_MS)
    assert (dry.left_ms, dry.ends_ms) == (-HOUR_MS, now_ms + 5 * HOUR_MS)
    lasts = dry_of(limit, jobs[:2], {"lab"}, now_ms)
    assert lasts is not None
    assert (lasts.at_ms, lasts.left_ms) == (None, HOUR_MS)
    assert dry_of(limit, jobs[3:], {"lab"}, now_ms) is None


def test_hours_that_come_back_before_they_end_do_not_end(tmp_path: Path) -> None:
    world = World(tmp_path, week_ms=200 * HOUR_MS)
    now_ms = world.clock.now_ms()
    (limit,) = world.ledger.balance("lab", now_ms).limits
    dry = dry_of(limit, [ahead("a", 500)], {"lab"}, now_ms)
    assert dry is not None
    assert (dry.at_ms, dry.left_ms) == (None, -300 * HOUR_MS)
