"""Where the hours run out, and what would fit instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Session
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS
from budget.forecasts.forecast import Forecast, unknown
from budget.ledger.balance import Balance, LimitBalance
from budget.windows import PerSession, Window
from orchestrator.graph import Graph, Job
from orchestrator.plans.fitting import Fit, Need, fit, need_of
from tests.orchestrator.pasts import START_MS, folds_graph

LAB = preset("lab-server", "lab")
WEEK = Window(START_MS, START_MS + 7 * DAY_MS)
FRIDAY_MS = WEEK.end_ms - 9 * HOUR_MS


def left(hours: float, *, whole: float = 30, gain_ms: int | None = WEEK.end_ms) -> Balance:
    """So much is free of a weekly limit."""
    whole_ms = round(whole * HOUR_MS)
    limit = LimitBalance(
        account="lab",
        limit=weekly(whole_ms),
        window=WEEK,
        amount_ms=whole_ms,
        settled_ms=whole_ms - round(hours * HOUR_MS),
        in_flight_ms=0,
        reserved_ms=0,
        next_gain_ms=gain_ms,
        whole_ms=whole_ms,
    )
    return Balance("lab", (limit,))


def takes(hours: float) -> Forecast:
    likely_ms = round(hours * HOUR_MS)
    return Forecast(likely_ms * 9 // 10, likely_ms, likely_ms * 11 // 10, "history", "1 run of it")


def needs(
    *hours: float | None, limit: float = 3.0, graph: Graph | None = None, account: Account = LAB
) -> tuple[Need, ...]:
    """One fold for each; None for a fold of which nothing is known."""
    graph = graph or folds_graph(folds=len(hours), limit_s=limit * 3600 - 30)
    jobs = [job for job in graph.jobs if job.devices]
    return tuple(
        need_of(job, unknown(job.wall_limit_ms) if hour is None else takes(hour), account)
        for job, hour in zip(jobs, hours, strict=True)
    )


def on(day: Balance, *hours: float | None, queued: float = 0, **more: float) -> Fit:
    return fit(needs(*hours, **more), day, round(queued * HOUR_MS), FRIDAY_MS)  # type: ignore[arg-type]


def test_a_plan_that_probably_fits_is_not_short_though_its_reservations_together_are_more() -> None:
    """Edge 55: jobs are reserved one at a time; a forecast that fits is not refused."""
    found = on(left(8), 1.9, 1.9, 1.9, limit=3)
    assert sum(need.reserve_ms for need in found.needs) > 8 * HOUR_MS
    assert found.short is None and found.waits is None
    assert (found.low_ms, found.likely_ms, found.high_ms) == tuple(
        round(3 * share * HOUR_MS) for share in (1.71, 1.9, 2.09)
    )


def test_reservations_admit_and_forecasts_advise() -> None:
    """Edge 55: forecast to fit, but what is left cannot hold its limit: it will wait."""
    found = on(left(6), 1.9, 1.9, 1.9, limit=3)
    assert found.short is None
    assert found.waits is not None and found.waits.job.id == "train.fold2"


def test_the_job_is_named_in_which_the_hours_run_out_and_when() -> None:
    found = on(left(4), 1.92, 1.92, 1.92, 1.92, 1.92)
    assert found.short is not None
    assert found.short.need.job.id == "train.fold2"
    assert [need.job.fold for need in found.short.before] == [0, 1]
    assert found.short.at_ms == FRIDAY_MS + 4 * HOUR_MS
    assert found.short.left_ms == round(0.16 * HOUR_MS)


def test_what_is_unknown_counts_with_its_limit() -> None:
    """Edge 52: no history."""
    assert on(left(8), None, None, None, limit=3).short is not None
    assert on(left(9), None, None, None, limit=3).short is None
    assert not on(left(9), None).known and on(left(9), None, 1.0).known


def test_a_job_never_counts_for_more_than_its_limit() -> None:
    (need,) = needs(5.0, limit=3)
    assert need.low_ms == need.likely_ms == need.high_ms == need.reserve_ms == 3 * HOUR_MS


def test_what_is_queued_before_it_is_not_free() -> None:
    assert on(left(4), 1.9, 1.9).short is None
    queued = on(left(4), 1.9, 1.9, queued=1)
    assert queued.short is not None and queued.free_ms == 3 * HOUR_MS


def test_an_account_in_the_red_is_short_at_once() -> None:
    """Edge 30: a negative balance."""
    found = on(left(-1), 0.5)
    assert found.short is not None
    assert found.short.at_ms == FRIDAY_MS and found.short.left_ms == 0


def test_a_job_that_takes_no_time_at_all_fits_in_nothing_but_not_in_less() -> None:
    """Edge 28: a zero-length job; Edge 30: a negative balance."""
    assert on(left(0), 0.0).short is None
    assert on(left(-1), 0.0).short is not None


def test_hours_that_come_back_while_it_runs_count() -> None:
    """Edge 6: the plan spans a reset, and uses each window's hours."""
    long = [2.5] * 6
    assert on(left(9.5), *long).short is None  # nine hours to the reset cannot use more
    assert on(left(8.5), *long).short is not None
    never = left(9.5, gain_ms=None)
    assert on(never, *long).short is not None


def test_a_later_window_runs_out_too() -> None:
    found = on(left(9.5, whole=12), *[2.5] * 9)
    assert found.short is not None
    assert found.short.at_ms > WEEK.end_ms


def test_a_job_that_no_window_can_hold_is_named_unless_it_parks() -> None:
    graph = folds_graph(folds=1, limit_s=50 * 3600)
    assert fit(needs(1.0, graph=graph), left(20), 0, FRIDAY_MS).too_big is None
    jobs = tuple(replace(job, at_edge="hard-stop") for job in graph.jobs)
    rigid = needs(1.0, graph=replace(graph, jobs=jobs))
    assert fit(rigid, left(20), 0, FRIDAY_MS).too_big is not None


def test_sessions_that_have_their_hours_anew_are_not_summed_up() -> None:
    limit = LimitBalance(
        account="c",
        limit=Limit(12 * HOUR_MS, PerSession()),
        window=WEEK,
        amount_ms=12 * HOUR_MS,
        settled_ms=0,
        in_flight_ms=0,
        reserved_ms=0,
        whole_ms=12 * HOUR_MS,
    )
    found = fit(needs(*[2.5] * 20), Balance("c", (limit,)), 0, FRIDAY_MS)
    assert found.limit is None and found.short is None


@pytest.mark.parametrize(("unit", "hours"), [("device", 2.0), ("session", 1.0)])
def test_devices_count_as_the_account_counts_them(unit: str, hours: float) -> None:
    """Edge 26: two devices for an hour are two device-hours, or one session-hour."""
    account = replace(LAB, unit=unit, session=Session())
    job = Job("train", "train", uses="train", devices=2, limit_s=3 * 3600)
    assert need_of(job, takes(1.0), account).likely_ms == hours * HOUR_MS
