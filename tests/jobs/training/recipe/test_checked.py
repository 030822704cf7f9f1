from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.recipe.cycles import cycles, nearest
from jobs.training.recipe.planned import planned, total_epochs


def recipe(**fields: Any) -> CheckedRecipe:
    return CheckedRecipe(**{"model": "net:Net", **fields})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"schedule": "sgdr", "cycle_len": 2, "cycle_mult": 2, "epochs": 12},
            "epochs: 12 are no whole number of cycles; "
            r"nearest: 6 \(2 cycles of 2, 4\) or 14 \(3 cycles of 2, 4, 8\)",
        ),
        (
            {"schedule": "sgdr", "cycle_len": 3, "epochs": 2},
            r"nearest: 3 \(1 cycle of 3\) \[",
        ),
        (
            {"schedule": "sgdr", "cycle_len": 3, "epochs": 8, "warmup_epochs": 1},
            r"after 1 of warm-up; nearest: 7 \(2 cycles of 3\) or 10",
        ),
        (
            {"schedule": "sgdr", "epochs": 3, "warmup_epochs": 0.5},
            "before cycles it takes whole epochs",
        ),
        ({"cycle_len": 2}, "cycle_len: is of `schedule: sgdr`, and that is not asked for"),
        ({"schedule": "cosine", "peak": 0.5}, "peak: is of `schedule: one-cycle`"),
        ({"stages": [{"epochs": 2, "schedule": "sgdr"}], "step_factor": 0.5}, "step_factor: is of"),
        ({"lr": float("inf")}, "finite number"),
        ({"class_weights": {"hat": 0}}, r"^1 validation error[^|]*class_weights.fields.hat"),
        ({"epochs": 2, "warmup_epochs": 2}, "all 2 epochs would be warm-up"),
        ({"unfreeze": [1]}, "nothing is frozen without `freeze: backbone`"),
        ({"freeze": "backbone", "unfreeze": [2, 1]}, "each epoch is later than the one before"),
        ({"freeze": "backbone", "unfreeze": [12]}, "epoch 12 is not among 12, counted from 0"),
        (
            {"freeze": "backbone", "unfreeze": [1, 2], "lr_groups": [0.1, 1]},
            "2 groups of layers can thaw 1 times at most",
        ),
        ({"stages": [{"epochs": 2}], "epochs": 3}, "epochs: with `stages`, each says its own"),
        ({"stages": [{"epochs": 2}], "fine_tune": 1}, "fine_tune: with `stages`"),
        ({"fine_tune": 1, "freeze": "backbone"}, "fine_tune freezes and unfreezes by itself"),
        ({"weight_classes": "imagenet"}, "weight_classes: there are no `weights`"),
        ({"same_classes": {"a": "b"}}, "same_classes: there are no `weights`"),
        (
            {"same_classes": {"a": "b"}, "weights": "package", "model": "efficientnet-lite0"},
            "say also `weight_classes: imagenet`",
        ),
        (
            {"stages": [{"epochs": 2, "size": 32}, {"epochs": 3, "size": 32}]},
            "two of them have one name",
        ),
        (
            {"stages": [{"epochs": 3}, {"epochs": 2, "name": "end", "schedule": "sgdr"}],
             "cycle_len": 3},
            "stage end: epochs: 2 are no whole number",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_as_it_is_said_is_named(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        recipe(**fields)


def test_a_recipe_that_was_written_down_whole_is_read_again() -> None:
    given = recipe(stages=[{"epochs": 2}, {"epochs": 1, "freeze": "backbone", "unfreeze": [0]}])
    assert CheckedRecipe(**given.model_dump()) == given


@pytest.mark.parametrize(("length", "factor"), [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_cycles_add_up_to_the_epochs_or_there_are_none(length: int, factor: int) -> None:
    for epochs in range(1, 40):
        found = cycles(epochs, length, factor)
        if found is None:
            *below, above = nearest(epochs, length, factor)
            assert sum(above) > epochs and all(sum(lengths) < epochs for lengths in below)
        else:
            assert sum(found) == epochs and found[0] == length
            assert all(b == a * factor for a, b in pairwise(found))


def test_a_recipe_without_stages_is_one_stage_of_all_its_epochs() -> None:
    (only,) = planned(recipe(epochs=7, lr=0.1))
    assert (only.number, only.name, only.epochs, only.first_epoch) == (0, "training", 7, 0)
    assert only.size_px is None and only.recipe.lr == 0.1


def test_a_stage_says_what_differs_and_counts_on() -> None:
    given = recipe(
        lr=0.1,
        batch_size=64,
        stages=[
            {"size": 96, "epochs": 4, "lr": 0.2, "augment": "none"},
            {"size": 192, "epochs": 2, "batch_size": 16, "freeze": "backbone", "name": "end"},
        ],
    )
    small, large = planned(given)
    assert (small.name, small.size_px, small.epochs, small.first_epoch) == ("96px", 96, 4, 0)
    assert (large.name, large.size_px, large.epochs, large.first_epoch) == ("end", 192, 2, 4)
    assert (small.recipe.lr, small.recipe.batch_size, small.recipe.augment) == (0.2, 64, "none")
    assert (large.recipe.lr, large.recipe.batch_size, large.recipe.augment) == (0.1, 16, "flip")
    assert (small.recipe.freeze, large.recipe.freeze) == ("none", "backbone")
    assert total_epochs(given) == 6


def test_fine_tune_is_the_head_alone_and_then_all_of_it_at_half_the_rate() -> None:
    head, rest = planned(recipe(fine_tune=2, epochs=5, lr=0.1, schedule="cosine"))
    assert (head.epochs, head.recipe.freeze, head.recipe.lr) == (2, "backbone", 0.1)
    assert (head.recipe.schedule, head.recipe.peak) == ("one-cycle", 0.99)
    assert (rest.epochs, rest.recipe.freeze, rest.recipe.lr) == (5, "none", 0.05)
    assert (rest.recipe.schedule, rest.recipe.lr_groups) == ("cosine", (0.01, 0.1, 1.0))
    assert rest.first_epoch == 2
    _, own = planned(recipe(fine_tune=1, lr_groups=[0.5, 1]))
    assert own.recipe.lr_groups == (0.5, 1)
