from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.training.recipe.measures import MEASURES, split_monitor
from jobs.training.recipe.recipe import Recipe


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"metrics": ["f2"]}, "there is no metric 'f2'; nearest: r2, f1"),
        ({"metrics": ["acuracy"]}, "nearest: auroc, acc"),
        ({"monitor": "val_aurocc"}, "nearest: auroc"),
        ({"monitor": "acc"}, "begins with val_"),
        ({"monitor": "train_loss"}, "begins with val_"),
        ({"loss": "focal"}, "'cross-entropy'"),
    ],
)
def test_a_metric_that_does_not_exist_is_named_before_anything_runs(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Recipe(model="net:Net", **fields)


def test_a_monitor_is_a_metric_and_perhaps_a_target() -> None:
    assert split_monitor("val_f1") == ("f1", "")
    assert split_monitor("val_loss.breed") == ("loss", "breed")
    assert split_monitor("val_average-precision.a.b") == ("average-precision", "a.b")


def test_a_metric_is_better_the_same_way_for_every_kind() -> None:
    directions: dict[str, set[bool]] = {}
    for kind in MEASURES.values():
        for name, larger in kind.items():
            directions.setdefault(name, set()).add(larger)
    assert all(len(found) == 1 for found in directions.values())
