"""The numbers that stand in the question are those of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.commands import StopJobs
from orchestrator.dashboard.questions.question import (
    abort_question,
    asked_of,
    cancel_question,
    several,
)
from tests.orchestrator.dashboard.screens import script_of, second_fold
from tests.orchestrator.worlds import World, kfold


def test_a_fold_that_has_not_started_costs_nothing_and_frees_its_limit(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    run = world.scheduler.state.runs["seedlings-1"]
    facts = dict(abort_question(run, "train.fold2", world.clock.now_ms()).facts)
    assert facts["charged"] == "0.00 h; that stays charged"
    assert facts["freed"] == "up to 0.50 h that 1 job not started would have reserved"
    assert facts["stops"] == "nothing that runs"


def test_what_is_freed_is_what_the_ledger_has_reserved_and_not_used(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    world.clock.advance(36)
    run = world.scheduler.state.runs["seedlings-1"]
    balance = world.ledger.balance("lab", world.clock.now_ms())
    facts = dict(abort_question(run, "train.fold1", world.clock.now_ms()).facts)
    assert balance.in_flight_ms == 636_000
    assert facts["charged"] == "0.18 h, 0.18 h of it in flight; that stays charged"
    assert balance.reserved_ms == pytest.approx(0.33 * 3_600_000, abs=18_000)
    assert facts["freed"] == "0.33 h still reserved, less what stopping takes"


def test_before_the_accelerator_is_used_cancelling_frees_what_was_never_reserved(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, script_of)
    world.submit(kfold())
    world.scheduler.tick()
    run = world.scheduler.state.runs["seedlings-1"]
    asked = cancel_question(run, world.clock.now_ms())
    facts = dict(asked.facts)
    assert facts["charged"] == "0.00 h; that stays charged"
    assert facts["freed"].endswith("up to 1.50 h that 3 jobs not started would have reserved")
    assert facts["stops"] == "scan at the next step"
    assert asked.request == StopJobs(
        run="seedlings-1", scope="run", target="seedlings-1", by="dashboard"
    )
    scan = abort_question(run, "scan", world.clock.now_ms())
    assert dict(scan.facts)["charged"] == "nothing: it uses no accelerator"


def test_what_has_ended_raises_no_question(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    now_ms = world.clock.now_ms()
    with pytest.raises(ValueError, match=r"fold 0 \(1 of 3\) of seedlings-1 has ended .* done"):
        abort_question(world.scheduler.state.runs["seedlings-1"], "train.fold0", now_ms)
    run = world.until_settled().runs["seedlings-1"]
    with pytest.raises(ValueError, match="seedlings-1 has ended already: done"):
        cancel_question(run, now_ms)


def test_of_several_that_are_marked_those_that_have_ended_are_left_out(tmp_path: Path) -> None:
    world = second_fold(tmp_path)
    run, now_ms = world.scheduler.state.runs["seedlings-1"], world.clock.now_ms()
    targets = [(run, f"train.fold{n}") for n in range(3)]
    found = asked_of(lambda run, job: abort_question(run, job, now_ms), targets)
    asked = several(found, "abort")
    assert asked.title == "Abort 2 that are marked?"
    assert [name for name, _ in asked.facts] == [
        "fold 1 (2 of 3) of seedlings-1",
        "fold 2 (3 of 3) of seedlings-1",
    ]
    assert [one.target for one in asked.choices[0].requests] == ["train.fold1", "train.fold2"]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="has ended already: done"):
        asked_of(lambda run, job: abort_question(run, job, now_ms), targets[:1])
