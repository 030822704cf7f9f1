from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from jobs.training.optimisation.schedule import make_optimizer, make_schedule  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402


def rates(schedule: str, steps: int) -> list[float]:
    """The learning rate of each step."""
    recipe = Recipe(model="a:B", schedule=schedule, lr=0.1)  # type: ignore[arg-type]
    optimizer = make_optimizer(torch.nn.Linear(2, 2), recipe)
    stepper = make_schedule(optimizer, recipe, steps)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if stepper is not None:
            stepper.step()
    return seen


def test_one_cycle_rises_to_the_rate_and_falls_to_almost_nothing() -> None:
    seen = rates("one-cycle", 100)
    peak = seen.index(max(seen))
    assert max(seen) == pytest.approx(0.1) and 20 < peak < 40
    assert seen[: peak + 1] == sorted(seen[: peak + 1])
    assert seen[peak:] == sorted(seen[peak:], reverse=True)
    assert seen[-1] < 1e-4


def test_cosine_falls_from_the_rate() -> None:
    seen = rates("cosine", 100)
    assert seen[0] == 0.1 and seen[50] == pytest.approx(0.05) and seen[-1] < 1e-4


def test_constant_stays() -> None:
    assert set(rates("constant", 10)) == {0.1}


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
def test_a_plan_of_a_single_step_works(schedule: str) -> None:
    (rate,) = rates(schedule, 1)
    assert rate > 0


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_frozen_parameters_are_left_out_and_vectors_do_not_decay(optimizer: Any) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    network[0].requires_grad_(False)
    made = make_optimizer(network, Recipe(model="a:B", optimizer=optimizer, weight_decay=0.3))
    decay = {id(p): group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert decay == {id(network[1].weight): 0.3, id(network[1].bias): 0.0}
