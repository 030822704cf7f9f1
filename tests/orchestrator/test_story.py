"""The main job as a story, on a simulated clock: from a plan's graph to a settled ledger."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from orchestrator.executors.simulated import Script
from skint.attempt import Task
from tests.orchestrator.worlds import World, epochs, kfold


def test_a_three_fold_run_trains_charges_reports_and_is_not_paid_for_twice(tmp_path: Path) -> None:
    accuracies = {0: [0.5, 0.8], 1: [0.6, 0.9], 2: [0.4, 0.7]}

    def script_of(task: Task) -> Script:
        if task.fold is None:
            return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
        return epochs(accuracies[task.fold])

    world = World(tmp_path, script_of)
    world.submit(kfold())
    run = world.until_settled().runs["seedlings-1"]

    assert run.outcome == "done"
    assert [job.status for job in run.jobs.values()] == ["done"] * 7
    # One device: the folds ran one after the other, each on an allocation of its own.
    spans = [(a.start_ms or 0, a.end_ms or 0) for a in run.allocations.values()]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    # Each was charged from its start to its end, once, and the ledger has the same sum.
    charged = [a.charged_ms for a in run.allocations.values()]
    assert charged == [150_000] * 3
    balance = world.ledger.balance("lab", world.clock.now_ms())
    assert balance.settled_ms == sum(charged)
    assert balance.reserved_ms == balance.in_flight_ms == 0
    # What was reported is there, fold by fold.
    last = {a.job: a.reports[-1]["score"] for a in run.attempts.values() if a.allocation}
    assert last == {"train.fold0": 0.8, "train.fold1": 0.9, "train.fold2": 0.7}
    # The state on disk, the state in memory and the state replayed from the events agree.
    assert world.store.state() == world.store.replayed() == world.scheduler.state

    # The same again costs nothing: every result stands in.
    world.submit(kfold(), run="seedlings-2")
    again = world.until_settled("seedlings-2").runs["seedlings-2"]
    assert {job.status for job in again.jobs.values()} == {"reused"}
    assert again.allocations == {}
    assert world.ledger.balance("lab", world.clock.now_ms()).settled_ms == sum(charged)
