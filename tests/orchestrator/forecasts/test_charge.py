"""What a result has cost."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.forecasts.charge import charge_of, cost_of, makers
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import State
from tests.orchestrator.pasts import attempt_of, folds_graph, run_of

FIRST, SECOND, THIRD = (f"seedlings-1.train.fold0.{fence}" for fence in (1, 2, 3))


def tried(*keys: str, account: str = "lab") -> State:
    """A fold with an attempt at each of these keys; the first was charged 1 ms, the others twice
    what the one before was."""
    attempts: list[AttemptState] = []
    allocations: list[AllocationState] = []
    for fence, key in enumerate(keys, 1):
        outcome = "done" if fence == len(keys) else "stopped"
        made = attempt_of("train.fold0", fence=fence, wall_ms=9, outcome=outcome)
        attempts.append(replace(made, key=key, allocation=made.id))
        allocations.append(
            AllocationState(
                made.id,
                account=account,
                executor="local",
                devices=("GPU-8c1f",),
                wall_ms=9,
                amount_ms=9,
                attempts=(made.id,),
                status="settled",
                shares={made.id: 2 ** (fence - 1)},
            )
        )
    run = run_of(folds_graph(folds=1), attempts, allocations=allocations)
    return State({run.name: run})


def test_a_result_has_cost_what_all_attempts_up_to_it_were_charged() -> None:
    state = tried("k", "k", "k")
    assert charge_of(state, SECOND, "lab") == 2
    assert cost_of(state, SECOND, "lab") == (1 + 2, 2)
    assert cost_of(state, THIRD, "lab") == (1 + 2 + 4, 3)
    assert makers(THIRD, 3) == f"{THIRD} with 2 attempts before it"


def test_an_attempt_at_something_else_is_no_part_of_it() -> None:
    assert cost_of(tried("older", "k"), SECOND, "lab") == (2, 1)
    assert makers(SECOND, 1) == SECOND


def test_what_another_account_was_charged_says_nothing() -> None:
    assert cost_of(tried("k", account="cloud"), FIRST, "lab") is None
    assert cost_of(State(), FIRST, "lab") is None
