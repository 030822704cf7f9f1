"""`plateau`: a fold that does not become better any more."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.plateau import plateau
from tests.orchestrator.stop_rules.groups import group, running

FLAT = (0.5, 0.7, 0.8, *(0.79,) * 10)


def test_a_flat_fold_is_stopped_alone() -> None:
    verdict = plateau(group(running(0, FLAT, epochs=30)), {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("stop", "attempt", "plateau")
    assert verdict.sentence == (
        "fold 0 has not become better than 80.0% since epoch 3: for 10 epochs (limit 10), "
        "17 are left"
    )


def test_it_waits_for_so_many_epochs_and_such_a_share_of_all() -> None:
    assert plateau(group(running(0, FLAT[:-1], epochs=30)), {}) == GO_ON
    assert plateau(group(running(0, FLAT, epochs=40)), {}) == GO_ON
    assert plateau(group(running(0, FLAT, epochs=40)), {"share": 0.2}).action == "stop"
    assert (
        plateau(group(running(0, FLAT[:6], epochs=30)), {"epochs": 3, "share": 0}).action == "stop"
    )


def test_better_may_have_to_be_better_by_something() -> None:
    creeping = (0.5, 0.7, 0.8, *(0.8 + n / 10_000 for n in range(1, 11)))
    assert plateau(group(running(0, creeping, epochs=30)), {}) == GO_ON
    assert plateau(group(running(0, creeping, epochs=30)), {"by": 0.005}).action == "stop"


def test_a_loss_becomes_better_downwards() -> None:
    loss = {"is_share": False, "larger_is_better": False}
    assert plateau(group(running(0, FLAT, epochs=30), **loss), {}).action == "stop"  # 0.5 was best
    falling = tuple(1 / (n + 1) for n in range(13))
    assert plateau(group(running(0, falling, epochs=30), **loss), {}) == GO_ON


def test_a_cycle_is_looked_at_where_it_ends() -> None:
    view = running(0, FLAT, epochs=30)
    assert plateau(group(replace(view, cycle_ends=(12, 30))), {}) == GO_ON
    assert plateau(group(replace(view, cycle_ends=(13, 30))), {}).action == "stop"


def test_the_last_epoch_is_over_anyway() -> None:
    assert plateau(group(running(0, FLAT, epochs=13)), {}) == GO_ON
