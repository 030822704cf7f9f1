"""How jobs end, which try again, and what their end means for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestrator.executors.simulated import Faults, Script
from skint.attempt import Task
from tests.orchestrator.worlds import (
    FOLD_MS,
    WALL_MS,
    World,
    graph,
    job,
    kfold,
    reasons,
    statuses,
    training,
)


def failing(name: str, *, times: int = 99, code: int = 1) -> Callable[[Task], Script]:
    """`training`, except that the job `name` fails in its first attempts."""

    def script_of(task: Task) -> Script:
        if task.job == name and task.fence <= times:
            return Script(seconds=20, code=code)
        return training(task)

    return script_of


def test_an_error_without_words_is_an_end_like_any_other(tmp_path: Path) -> None:
    said = {"kind": "error", "what": "", "where": "pool.py:9"}
    world = World(tmp_path, lambda task: Script(seconds=20, code=1, lines=((10.0, said),)))
    run = world.settle(graph(job("scan")))
    assert run.jobs["scan"].status == "failed"
    assert run.jobs["scan"].sentence == "exit code 1"
    assert world.store.replayed() == world.store.state()


def test_a_failed_job_is_tried_again_as_often_as_the_plan_says(tmp_path: Path) -> None:
    """Edge 34: each try is a charge of its own."""
    world = World(tmp_path, failing("train.fold1", times=2))
    run = world.settle(kfold(retries=2))
    assert run.outcome == "done"
    assert run.jobs["train.fold1"].attempts == tuple(
        f"seedlings-1.train.fold1.{fence}" for fence in (1, 2, 3)
    )
    tries = [run.attempts[name] for name in run.jobs["train.fold1"].attempts]
    assert [attempt.outcome for attempt in tries] == ["failed", "failed", "done"]
    # Each has a folder of its own, knows the one before it, and is paid for.
    assert len({attempt.folder for attempt in tries}) == 3
    assert [attempt.previous for attempt in tries] == [None, tries[0].out, tries[1].out]
    assert world.settled_ms == 3 * FOLD_MS + 2 * 20_000


def test_when_every_retry_has_failed_so_has_the_job_and_what_needs_it_is_skipped(
    tmp_path: Path,
) -> None:
    line = graph(job("scan"), replace(job("packed", "scan"), retries=1), job("folds", "packed"))
    run = World(tmp_path, failing("packed")).settle(line)
    assert len(run.jobs["packed"].attempts) == 2
    assert statuses(run) == {"scan": "done", "packed": "failed", "folds": "skipped"}
    assert reasons(run) == {"packed": "failed", "folds": "needs-failed"}
    assert run.jobs["packed"].sentence == "exit code 1"
    assert run.jobs["folds"].sentence == "needs packed, which failed"
    assert run.outcome == "failed"


def test_a_mistake_of_the_user_is_not_tried_again(tmp_path: Path) -> None:
    mistaken = graph(replace(job("scan"), retries=3))
    run = World(tmp_path, failing("scan", code=2)).settle(mistaken)
    assert len(run.attempts) == 1
    assert run.jobs["scan"].reason == "user-mistake"


def test_exit_code_2_of_a_program_may_mean_anything_so_it_is_tried_again(tmp_path: Path) -> None:
    program = graph(replace(job("scan"), uses="", argv=("grep", "x"), retries=1))
    run = World(tmp_path, failing("scan", code=2)).settle(program)
    assert len(run.attempts) == 2


def test_a_fold_that_fails_spares_its_siblings_the_same_code(tmp_path: Path) -> None:
    world = World(tmp_path, failing("train.fold0"))
    run = world.settle(kfold())
    assert statuses(run)["train.fold0"] == "failed"
    assert reasons(run)["train.fold1"] == reasons(run)["train.fold2"] == "sibling-failed"
    assert world.settled_ms == 20_000


def lose_the_first_allocation(world: World) -> None:
    def begun() -> list[str]:
        return [name for name in world.engine.submissions if ".allocation-1." in name]

    world.until(lambda state: bool(begun()))
    world.engine.lose(begun()[0])


def test_a_fold_whose_node_is_lost_says_nothing_about_its_siblings(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    lose_the_first_allocation(world)
    run = world.until_settled().runs["seedlings-1"]
    assert reasons(run)["train.fold0"] == "lost"
    assert statuses(run)["train.fold1"] == statuses(run)["train.fold2"] == "done"


def test_a_lost_allocation_is_charged_in_full_as_an_estimate_and_tried_again(
    tmp_path: Path,
) -> None:
    """Edges 14 and 43: no end was seen, and nothing is given back by a guess."""
    world = World(tmp_path, training)
    world.submit(kfold(retries=1))
    lose_the_first_allocation(world)
    run = world.until_settled().runs["seedlings-1"]
    lost, *others = run.allocations.values()
    assert (lost.charged_ms, lost.estimated) == (WALL_MS, True)
    assert [a.charged_ms for a in others] == [FOLD_MS] * 3
    assert run.outcome == "done"
    assert world.settled_ms == WALL_MS + 3 * FOLD_MS


def test_an_executor_that_refuses_costs_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, training, Faults(refused_submit_share=1.0))
    run = world.settle(graph(job("train", devices=1, limit_s=60)))
    assert reasons(run) == {"train": "refused"}
    assert [a.status for a in run.allocations.values()] == ["released"]
    assert world.settled_ms == 0


def test_a_variable_that_the_scheduler_does_not_have_is_named(tmp_path: Path) -> None:
    run = World(tmp_path).settle(graph(replace(job("scan"), env=("TOKEN",))))
    assert run.outcome == "failed"
    assert "TOKEN" in run.jobs["scan"].sentence


def test_a_variable_that_is_gone_after_a_restart_does_not_end_what_may_run(tmp_path: Path) -> None:
    world = World(tmp_path, training, Faults(lost_submit_share=1.0))
    world.scheduler.environ = {"TOKEN": "secret"}
    world.submit(graph(replace(job("scan"), env=("TOKEN",))))
    world.scheduler.tick()
    world.engine.faults = replace(world.engine.faults, lost_poll_share=1.0)
    world.restart()  # its environment is empty
    world.scheduler.tick()
    assert [attempt.live for _, attempt in world.scheduler.state.live_attempts()] == [True]
    world.engine.faults = Faults()
    assert world.until_settled().runs["seedlings-1"].outcome == "done"
    assert world.engine.starts == ["seedlings-1.scan.1"]
