"""Jobs done in pieces: parked by a person, or tried again from what an attempt kept."""

from __future__ import annotations

from pathlib import Path

from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import (
    Course,
    attempts,
    has_reports,
    living,
    parkable,
    with_sessions,
)
from tests.orchestrator.worlds import HOUR_MS, World, graph, job, reasons


def test_a_person_parks_a_job_and_it_goes_on(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    world.submit(graph(parkable()))
    world.until(has_reports)
    world.stop(scope="attempt", target="train", then="requeue", reason="parked")
    run = world.until_settled().runs["seedlings-1"]
    assert run.outcome == "done"
    assert [a.outcome for a in attempts(run)] == ["stopped", "done"]
    assert world.settled_ms == 4 * 600_000 + 1_000


def test_a_rest_that_is_shorter_than_stopping_it_is_not_begun(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    world.submit(graph(parkable(limit_s=1210)))
    world.until(lambda state: any(len(a.reports) == 2 for _, a in state.live_attempts()))
    world.stop(scope="attempt", target="train", then="requeue", reason="parked")
    run = world.until_settled().runs["seedlings-1"]
    assert len(attempts(run)) == 1
    assert reasons(run) == {"train": "deadline"}
    sentence = run.jobs["train"].sentence
    assert sentence.startswith("its limit is used up but for ")
    assert sentence.endswith(", and stopping it takes 1 min 00 s")


def test_a_cancel_beats_a_park_that_came_before_it(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    world.submit(graph(parkable()))
    world.until(has_reports)
    world.stop(scope="attempt", target="train", then="requeue", reason="parked")
    world.stop(scope="attempt", target="train")
    run = world.until_settled().runs["seedlings-1"]
    assert reasons(run) == {"train": "cancelled"}
    assert len(attempts(run)) == 1


def test_nothing_can_be_parked_that_does_not_run(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    world.submit(graph(parkable("a", value=9), parkable("b")))
    world.until(has_reports)
    world.stop(scope="attempt", target="b", then="requeue", reason="parked")
    world.scheduler.tick()
    assert world.kept(e.CommandAnswered)[-1].text == "nothing of b is running now"
    assert world.until_settled().runs["seedlings-1"].outcome == "done"


def test_a_parked_job_that_cannot_resume_has_stopped(tmp_path: Path) -> None:
    world = living(tmp_path, Course(epochs=4))
    world.submit(graph(parkable(resumes=False, at_edge="hard-stop")))
    world.until(has_reports)
    world.stop(scope="attempt", target="train", then="requeue", reason="parked")
    assert reasons(world.until_settled().runs["seedlings-1"]) == {"train": "parked"}


# --- retries --------------------------------------------------------------------------------------


def test_a_retry_goes_on_from_the_attempt_that_kept_a_checkpoint(tmp_path: Path) -> None:
    """Edge 38: one that died before it wrote any does not throw the earlier ones away."""
    course = Course(epochs=8)

    def script_of(task: Task) -> Script:
        return Script(5, code=1) if task.fence == 2 else course(task)

    world = course.world = World(tmp_path, script_of)
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(retries=3)))
    parked, failed, last = attempts(run)
    assert (parked.outcome, failed.outcome, last.outcome) == ("deadline", "failed", "done")
    assert last.previous == parked.out


def test_parking_uses_up_no_retry(tmp_path: Path) -> None:
    """Edge 34: what goes on in another session is still its first try."""
    course = Course(epochs=15)

    def script_of(task: Task) -> Script:
        return Script(5, code=1) if task.fence == 3 else course(task)

    world = course.world = World(tmp_path, script_of)
    with_sessions(world, max_ms=HOUR_MS)
    run = world.settle(graph(parkable(retries=1)))
    outcomes = [attempt.outcome for attempt in attempts(run)]
    assert outcomes == ["deadline", "deadline", "failed", "done"]


def test_each_retry_is_a_charge_of_its_own_and_the_budget_bounds_them(tmp_path: Path) -> None:
    """Edge 34: the hold is not duplicated, and a storm of retries ends with the hours."""
    world = World(tmp_path, lambda task: Script(600, code=1), week_ms=HOUR_MS)
    world.submit(graph(job("train", devices=1, limit_s=1200, retries=100)))
    state = world.until(
        lambda s: any(r.jobs["train"].reason == "over-budget" for r in s.runs.values())
    )
    run = state.runs["seedlings-1"]
    assert len(attempts(run)) == len(world.ledger.charges()) == 4
    balance = world.ledger.balance("lab", world.clock.now_ms())
    assert (balance.settled_ms, balance.reserved_ms) == (4 * 600_000, 0)
