"""Jobs at the edge of a session or a window: cut where they can go on, once, and nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import Course, attempts, living, parkable, with_sessions
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, graph, job, reasons

RESET_MS = SATURDAY_MS + 7 * 24 * HOUR_MS


# --- sessions -------------------------------------------------------------------------------------


def test_a_job_longer_than_a_session_is_split_at_its_checkpoints(tmp_path: Path) -> None:
    """Edge 37: the session limit is shorter than the time asked for."""
    world = living(tmp_path, Course())
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable()))
    assert run.outcome == "done"
    pieces = attempts(run)
    assert [a.outcome for a in pieces] == ["deadline", "deadline", "done"]
    assert [a.previous for a in pieces] == [None, pieces[0].out, pieces[1].out]
    assert all(a.wall_ms <= HOUR_MS for a in run.allocations.values())
    # 2 h 30 min of work, a second for each of the two stops, and nothing done twice.
    assert world.settled_ms == 15 * 600_000 + 2 * 1_000
    parked = [x for x in world.kept(e.JobWaited) if x.reason == "parked"]
    assert len(parked) == 2 and {x.until_ms for x in parked} == {None}
    assert parked[0].sentence == (
        "parked after 58 min 59 s at the end of its session; it goes on from its checkpoint"
    )
    assert world.store.state() == world.store.replayed()


def test_a_job_that_cannot_go_on_is_refused_where_a_session_is_too_short(tmp_path: Path) -> None:
    """Edge 37: it is refused, and not cut."""
    world = living(tmp_path, Course())
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(resumes=False, at_edge="hard-stop")))
    assert reasons(run) == {"train": "too-big"}
    assert run.jobs["train"].sentence == (
        "its limit and grace take 3 h 01 min, a session of lab lasts 1 h 00 min at most,"
        " and it cannot go on in another one"
    )
    assert not run.allocations


def test_a_session_that_stopping_alone_takes_is_refused_clearly(tmp_path: Path) -> None:
    """Edge 47: the session is shorter than the tail."""
    world = living(tmp_path, Course())
    with_sessions(world, max_ms=60_000)
    run = world.settle(graph(parkable()))
    assert reasons(run) == {"train": "too-big"}
    assert run.jobs["train"].sentence == (
        "a session of lab lasts 1 min 00 s at most, and stopping this takes 1 min 02 s of it"
    )


def test_a_tail_that_was_measured_is_reserved_inside_the_next_session(tmp_path: Path) -> None:
    """Edge 33: the tail is inside the limit, and it is the measured one."""
    world = living(tmp_path, Course(stop_s=58))
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(limit_s=4 * 3600)))
    first, second, *_ = attempts(run)
    assert (first.limit_s, first.grace_s) == (3600 - 62, 60)
    assert (second.limit_s, second.grace_s) == (3600 - 2 - 72.5, 72.5)
    assert all(a.wall_ms <= HOUR_MS for a in run.allocations.values())


def test_a_limit_counts_over_all_attempts(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=1000))
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(limit_s=2.5 * 3600)))
    assert reasons(run) == {"train": "deadline"}
    worked_ms = sum(a.ended_ms - a.started_ms for a in attempts(run))
    assert 2.5 * HOUR_MS <= worked_ms <= 2.5 * HOUR_MS + 60_000


def test_a_job_that_comes_no_further_is_not_started_for_ever(tmp_path: Path) -> None:
    def same_epochs(task: Task) -> Script:
        report = {"kind": "report", "values": {"epoch": 1}}
        return Script(1e6, ((600, report),), stops_after_s=1)

    world = World(tmp_path, same_epochs)
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(limit_s=20 * 3600)))
    assert reasons(run) == {"train": "no-progress"}
    assert len(attempts(run)) == 3  # the first one did get somewhere
    assert "came no further" in run.jobs["train"].sentence


def test_a_program_that_never_says_how_far_it_is_goes_on_until_its_limit(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: Script(1e6, stops_after_s=1))
    with_sessions(world, max_ms=HOUR_MS)
    program = replace(parkable(limit_s=4 * 3600), uses="", argv=("python", "fit.py"))
    run = world.settle(graph(program))
    assert reasons(run) == {"train": "deadline"}
    assert len(attempts(run)) >= 4


def test_one_more_session_than_an_account_admits_waits(tmp_path: Path) -> None:
    """Edge 41: the concurrency cap is reached."""
    world = World(tmp_path, lambda task: Script(600), devices=3)
    with_sessions(world, concurrent=2)
    run = world.settle(graph(*(job(f"j{n}", devices=1, limit_s=1200) for n in range(3))))
    assert run.outcome == "done"
    starts = sorted(a.started_ms or 0 for a in run.attempts.values())
    assert starts == [SATURDAY_MS, SATURDAY_MS, SATURDAY_MS + 600_000]
    (told,) = [x for x in world.kept(e.JobWaited) if x.reason == "sessions"]
    assert told.sentence == "lab admits 2 at once, and as many run"


def test_a_session_that_somebody_else_has_is_waited_for_and_costs_nothing(tmp_path: Path) -> None:
    """Edge 41: the cap is reached although nothing of ours runs: back off, do not charge."""
    world = World(tmp_path, lambda task: Script(600))
    with_sessions(world, concurrent=1)
    world.ledger.reserve(
        id="theirs", account="lab", owner="other/", devices=1, amount_ms=1000, now_ms=SATURDAY_MS
    )
    world.submit(graph(job("mine", devices=1, limit_s=1200)))
    world.until(lambda state: world.clock.now_ms() > SATURDAY_MS + 300_000, days=1)
    run = world.scheduler.state.runs["seedlings-1"]
    assert run.jobs["mine"].reason == "sessions"
    assert world.kept(e.AllocationRefused) == []  # theirs is counted: nothing is even asked
    world.ledger.release("theirs", world.clock.now_ms(), "over")
    assert world.until_settled().runs["seedlings-1"].outcome == "done"
    assert world.settled_ms == 600_000


# --- windows --------------------------------------------------------------------------------------


def test_a_job_parks_where_the_hours_end_and_goes_on_after_the_reset_once(tmp_path: Path) -> None:
    """Edge 44: the hours are used up in mid-epoch; it is parked, and goes on after the reset."""
    world = living(tmp_path, Course(epochs=8), week_ms=HOUR_MS)
    run = world.settle(graph(parkable(limit_s=1.5 * 3600)), park=True)
    assert run.outcome == "done"
    first, second = attempts(run)
    assert (first.outcome, first.edge, first.limit_s) == ("deadline", "window", 3600 - 62)
    assert second.started_ms == RESET_MS and second.previous == first.out
    (parked,) = [x for x in world.kept(e.JobWaited) if x.reason == "parked"]
    assert parked.until_ms == RESET_MS
    assert parked.sentence == (
        "parked after 58 min 59 s at the end of its window; it goes on from its checkpoint"
    )
    charged = [a.charged_ms for a in run.allocations.values()]
    assert charged == [3539_000, 8 * 600_000 - 3538_000]
    assert world.settled_ms == charged[1]  # of the new week
    assert len(world.engine.starts) == 2
    assert world.store.state() == world.store.replayed()


def test_without_park_it_waits_for_a_window_in_which_it_fits_whole(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=8), week_ms=2 * HOUR_MS)
    world.ledger.adjust("lab", HOUR_MS, "by hand", SATURDAY_MS, "hand")
    run = world.settle(graph(parkable(limit_s=1.5 * 3600, when_short="wait")))
    (only,) = attempts(run)
    assert only.started_ms == RESET_MS and not only.edge


def test_a_job_that_cannot_go_on_is_never_cut(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=8), week_ms=2 * HOUR_MS)
    world.ledger.adjust("lab", HOUR_MS, "by hand", SATURDAY_MS, "hand")
    fixed = parkable(limit_s=1.5 * 3600, resumes=False, at_edge="hard-stop")
    run = world.settle(graph(fixed), park=True)
    (only,) = attempts(run)
    assert only.started_ms == RESET_MS and only.outcome == "done"


def test_parked_jobs_survive_a_restart_of_the_scheduler(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=8), week_ms=HOUR_MS)
    world.submit(graph(parkable(limit_s=1.5 * 3600)), park=True)
    world.until(lambda s: any(r.jobs["train"].reason == "parked" for r in s.runs.values()))
    world.restart()
    run = world.until_settled().runs["seedlings-1"]
    assert [a.outcome for a in attempts(run)] == ["deadline", "done"]


def test_hours_that_come_back_before_the_reset_wake_it_at_once(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=8), week_ms=HOUR_MS)
    world.submit(graph(parkable(limit_s=1.5 * 3600)), park=True)
    world.until(lambda s: any(r.jobs["train"].reason == "parked" for r in s.runs.values()))
    now_ms = world.clock.now_ms()
    world.ledger.change_account(
        Account("lab", "simulated", "simulated", (weekly(5 * HOUR_MS),)), now_ms
    )
    run = world.until_settled().runs["seedlings-1"]
    assert attempts(run)[1].started_ms < now_ms + 60_000


def waits_for_hours(path: Path) -> World:
    world = World(path, lambda task: Script(600), week_ms=HOUR_MS)
    world.ledger.adjust("lab", HOUR_MS - 1, "by hand", SATURDAY_MS, "hand")
    world.submit(graph(job("train", devices=1, limit_s=1200)))
    world.until(lambda s: any(r.jobs["train"].reason == "over-budget" for r in s.runs.values()))
    assert not world.kept(e.AllocationPlanned)
    return world


def starts_soon(world: World) -> bool:
    asked_ms = world.clock.now_ms()
    run = world.until_settled().runs["seedlings-1"]
    return bool(attempts(run)[0].started_ms < asked_ms + 60_000)


def test_an_adjustment_wakes_a_job_that_waits_for_hours(tmp_path: Path) -> None:
    world = waits_for_hours(tmp_path)
    world.ledger.adjust("lab", -HOUR_MS // 2, "counted wrongly", world.clock.now_ms(), "back")
    assert starts_soon(world)


def test_a_reading_wakes_a_job_that_waits_for_hours(tmp_path: Path) -> None:
    world, now_ms = waits_for_hours(tmp_path), SATURDAY_MS + 60_000
    world.ledger.reading(
        "lab", id="read", used_ms=HOUR_MS, allowed_ms=2 * HOUR_MS, at_ms=now_ms, now_ms=now_ms
    )
    world.clock.advance(60)
    assert starts_soon(world)


def test_a_limit_lowered_below_what_is_used_lets_what_runs_go_on(tmp_path: Path) -> None:
    """Edge 45: running goes on, nothing new starts."""
    world = World(tmp_path, lambda task: Script(3000), week_ms=10 * HOUR_MS)
    one, two = (job(f"j{n}", devices=1, limit_s=3600) for n in range(2))
    world.submit(graph(one, two))
    world.until(lambda state: bool(world.engine.starts))
    world.clock.advance(1800)
    lowered = Account("lab", "simulated", "simulated", (weekly(HOUR_MS + 40_000),))
    world.ledger.change_account(lowered, world.clock.now_ms())
    run = world.until_settled().runs["seedlings-1"]
    first, second = (run.attempts[f"seedlings-1.j{n}.1"] for n in range(2))
    assert (first.outcome, first.started_ms) == ("done", SATURDAY_MS)
    assert second.started_ms == RESET_MS


# --- the end of an epoch --------------------------------------------------------------------------


def test_the_last_epoch_that_fits_is_told_to_be_the_last(tmp_path: Path) -> None:
    """Edge 44: finish-epoch."""
    world = living(tmp_path, Course(epochs=8, epoch_s=600))
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(at_edge="finish-epoch")))
    (asked,) = world.kept(e.StopAsked)
    # The tail begins after 58 min 58 s: epoch 5 ends after 50 min and is the last one.
    assert asked.at_ms == SATURDAY_MS + 4 * 600_000
    assert (asked.how, asked.then, asked.by) == ("epoch", "requeue", "edge")
    assert asked.target == "seedlings-1.train.1" == asked.attempts[0]
    assert asked.sentence == (
        "18 min 58 s are left before the end of its session: no epoch after this one"
    )
    assert run.outcome == "done" and len(attempts(run)) == 2


def test_an_attempt_that_is_not_cut_is_not_asked(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    run = world.settle(graph(parkable(at_edge="finish-epoch", limit_s=2700)))
    assert run.outcome == "done"
    assert not world.kept(e.StopAsked)
