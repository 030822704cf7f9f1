"""Every curve against torch's own schedulers, and what a resumed one does."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from torch.optim import lr_scheduler  # noqa: E402

from jobs.training.optimisation.curve import WARMUP_START, curve_of  # noqa: E402
from jobs.training.optimisation.optimizer import make_optimizer  # noqa: E402
from jobs.training.optimisation.schedule import CurveSchedule  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402

PER_EPOCH = 5


def recipe(**fields: Any) -> Recipe:
    return Recipe(**{"model": "net:Net", "lr": 0.1, **fields})


def optimizer_of(given: Recipe) -> Any:
    return make_optimizer([[torch.nn.Parameter(torch.zeros(2, 2))]], given)


def rates(optimizer: Any, scheduler: Any, steps: int) -> list[tuple[float, float]]:
    """(rate, momentum) of each step."""
    seen = []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        seen.append((group["lr"], group["betas"][0] if "betas" in group else group["momentum"]))
        optimizer.step()
        scheduler.step()
    return seen


Theirs = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("fields", "theirs"),
    [
        (
            {"schedule": "one-cycle", "epochs": 8},
            lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=40, pct_start=0.3),
        ),
        (
            {"schedule": "one-cycle", "epochs": 3, "peak": 0.99, "optimizer": "sgd"},
            lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=15, pct_start=0.99),
        ),
        (
            {"schedule": "cosine", "epochs": 4},
            lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=20),
        ),
        (
            {"schedule": "sgdr", "epochs": 14, "cycle_len": 2, "cycle_mult": 2},
            lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2),
        ),
        (
            {"schedule": "step", "epochs": 7, "step_epochs": 2, "step_factor": 0.5},
            lambda o: lr_scheduler.StepLR(o, step_size=10, gamma=0.5),
        ),
        ({"schedule": "constant", "epochs": 2}, lambda o: lr_scheduler.ConstantLR(o, factor=1)),
        (
            {"schedule": "cosine", "epochs": 6, "warmup_epochs": 2},
            lambda o: lr_scheduler.SequentialLR(
                o,
                [
                    lr_scheduler.LinearLR(o, start_factor=WARMUP_START, total_iters=10),
                    lr_scheduler.CosineAnnealingLR(o, T_max=20),
                ],
                milestones=[10],
            ),
        ),
    ],
)
def test_a_curve_is_that_of_torch(fields: dict[str, Any], theirs: Theirs) -> None:
    given = recipe(**fields)
    steps = given.epochs * PER_EPOCH
    ours = optimizer_of(given)
    mine = rates(ours, CurveSchedule(ours, curve_of(given, PER_EPOCH)), steps)
    other = optimizer_of(given)
    expected = rates(other, theirs(other), steps)
    for got, wanted in zip(mine, expected, strict=True):
        assert got == pytest.approx(wanted, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "step", "constant"])
def test_every_curve_warms_up_to_where_it_begins(schedule: Any) -> None:
    given = recipe(schedule=schedule, epochs=4, warmup_epochs=1.5)
    curve = curve_of(given, PER_EPOCH)
    warm = [curve.share(step) for step in range(curve.warmup_steps + 1)]
    assert curve.warmup_steps == 8
    assert warm[0] == pytest.approx(WARMUP_START * warm[-1])
    gains = [b - a for a, b in pairwise(warm)]
    assert gains == pytest.approx([gains[0]] * 8) and gains[0] > 0
    plain = curve_of(given.model_copy(update={"warmup_epochs": 0.0}), PER_EPOCH)
    assert warm[-1] == plain.share(0)


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "sgdr", "step", "constant"])
def test_a_plan_of_a_single_step_trains(schedule: Any) -> None:
    assert curve_of(recipe(schedule=schedule, epochs=1), 1).share(0) > 0


def test_a_schedule_goes_on_from_the_step_that_was_saved() -> None:
    given = recipe(epochs=4)
    curve = curve_of(given, PER_EPOCH)
    whole = optimizer_of(given)
    expected = rates(whole, CurveSchedule(whole, curve), 20)

    first = optimizer_of(given)
    schedule = CurveSchedule(first, curve)
    begun = rates(first, schedule, 7)
    saved = pickle.dumps((first.state_dict(), schedule.state_dict()))
    second = optimizer_of(given)
    resumed = CurveSchedule(second, curve)
    states = pickle.loads(saved)
    second.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    assert begun + rates(second, resumed, 13) == expected


def test_each_group_follows_the_curve_at_its_own_rate() -> None:
    given = recipe(schedule="cosine", epochs=2, lr_groups=[0.01, 1])
    low, high = (torch.nn.Parameter(torch.zeros(2, 2)) for _ in range(2))
    optimizer = make_optimizer([[low], [high]], given)
    schedule = CurveSchedule(optimizer, curve_of(given, PER_EPOCH))
    for _ in range(5):
        optimizer.step()
        schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.0005, 0.05])
