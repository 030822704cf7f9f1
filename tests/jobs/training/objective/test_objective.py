"""From a recipe and a fold to the objective, its weights of classes and what it monitors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from jobs.training.data.fold import FoldData, unsplit
from jobs.training.objective.base import ObjectiveError
from jobs.training.objective.classes import Classes
from jobs.training.objective.monitor import Monitor, monitor_of
from jobs.training.objective.multilabel import Multilabel
from jobs.training.objective.objective import objective_of
from jobs.training.objective.several import Several
from jobs.training.objective.values import Values
from jobs.training.recipe.recipe import Recipe
from skint.dataset import PackedSet, Target
from tests.jobs.several_set import several_set
from tests.jobs.table_set import table_set

pytestmark = pytest.mark.torch


def recipe(**fields: Any) -> Recipe:
    return Recipe(**{"model": "net:Net", **fields})


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    return PackedSet.open(several_set(tmp_path_factory.mktemp("several")))


def learning(packed: PackedSet, *names: str) -> FoldData:
    return unsplit(packed, names)


def test_all_targets_are_learnt_unless_some_are_named(packed: PackedSet) -> None:
    everything = objective_of(recipe(), learning(packed))
    assert isinstance(everything, Several) and everything.outputs == 3 + 2 + 1
    kinds = [
        type(objective_of(recipe(), learning(packed, name))) for name in ("colour", "tags", "shade")
    ]
    assert kinds == [Classes, Multilabel, Values]


def test_numbers_are_standardised_by_the_pictures_that_train(packed: PackedSet) -> None:
    whole = learning(packed, "shade")
    data = FoldData(
        packed, whole.targets, whole.columns, whole.train[::2], whole.train[1::2], fold=0, folds=2
    )
    objective = objective_of(recipe(loss="huber"), data)
    values = packed.values("shade")[data.train]
    assert isinstance(objective, Values)
    assert (objective.mean, objective.std) == pytest.approx((values.mean(), values.std()))


@pytest.mark.parametrize(
    ("targets", "fields", "sentence"),
    [
        (["tags"], {"loss": "cross-entropy"}, "classes of a picture share one probability"),
        (["colour", "tags"], {"loss": "cross-entropy"}, "tags is multi-label"),
        (["colour"], {"loss": "bce"}, "colour has exactly one class a picture"),
        (["colour"], {"loss": "mse"}, "the loss mse fits none of the targets"),
        (["shade"], {"label_smoothing": 0.1}, "numbers have no labels to smooth"),
        (["shade"], {"metrics": ["f1"]}, "none of the targets has the metric f1"),
        (["colour"], {"metrics": ["rmse"]}, "none of the targets has the metric rmse"),
        (["colour"], {"metrics": ["top5"]}, "top5 is always right with 5 classes or fewer"),
        (["shade"], {"class_weights": "balanced"}, "numbers have no classes to weigh"),
        (["colour"], {"class_weights": {"gren": 2}}, "did you mean green?"),
        (["shade"], {"target_weights": {"shade": 2}}, "target_weights are of several targets"),
        (["colour", "shade"], {"target_weights": {"size": 2}}, "target_weights names what is not"),
    ],
)
def test_what_the_targets_cannot_give_is_refused(
    packed: PackedSet, targets: list[str], fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ObjectiveError) as error:
        objective_of(recipe(**fields), learning(packed, *targets))
    assert sentence in str(error.value)


def test_a_loss_holds_for_the_targets_that_it_fits(packed: PackedSet) -> None:
    objective = objective_of(recipe(loss="l1", metrics=["f1", "rmse"]), learning(packed))
    assert list(objective.metrics()) == [
        "val_acc.colour", "val_f1.colour", "val_f1.tags", "val_mae.shade", "val_rmse.shade"
    ]  # fmt: skip


def test_balanced_weights_make_each_class_count_the_same(tmp_path: Path) -> None:
    packed = table_set(tmp_path, {"kind": ["a"] * 6 + ["b"] * 3 + ["c"]})
    objective = objective_of(recipe(class_weights="balanced"), learning(packed))
    assert isinstance(objective, Classes) and objective.weight is not None
    assert objective.weight.tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    # The loss of an output that knows nothing is the same as without weights.
    labels = torch.from_numpy(packed.labels())
    assert float(objective.loss(torch.zeros(10, 3), labels)) == pytest.approx(np.log(3))


def test_of_weights_by_name_only_the_ratio_matters(tmp_path: Path) -> None:
    packed = table_set(tmp_path, {"kind": ["a", "a", "b", "c"]})
    one, two = (
        objective_of(recipe(class_weights=given), learning(packed))
        for given in ({"a": 4, "b": 2, "c": 2}, {"a": 2})
    )
    assert one.weight.tolist() == pytest.approx([4 / 3, 2 / 3, 2 / 3])
    assert two.weight.tolist() == pytest.approx(one.weight.tolist())


def test_a_class_that_nothing_teaches_does_not_break_the_weights(tmp_path: Path) -> None:
    target = Target("kind", "class", ("a", "b", "never"))
    packed = table_set(tmp_path, {"kind": ["a", "a", "b"]}, [target])
    objective = objective_of(recipe(class_weights="balanced"), learning(packed))
    assert torch.isfinite(objective.weight).all() and (objective.weight > 0).all()


def test_balanced_weights_of_several_classes_weigh_with_against_without(tmp_path: Path) -> None:
    target = Target("tags", "multilabel", ("rare", "usual", "none"))
    packed = table_set(tmp_path, {"tags": ["rare|usual", "usual", "usual", "", ""]}, [target])
    objective = objective_of(recipe(class_weights="balanced"), learning(packed))
    assert objective.weight.tolist() == pytest.approx([4, 2 / 3, 1])


@pytest.mark.parametrize(
    ("targets", "given", "expected"),
    [
        (["colour"], "auto", Monitor("val_acc", True)),
        (["tags"], "auto", Monitor("val_loss", False)),
        (["colour", "shade"], "auto", Monitor("val_loss", False)),
        (["colour"], "val_loss", Monitor("val_loss", False)),
        (["colour"], "val_f1.colour", Monitor("val_f1", True)),
        (["colour"], "val_auroc", Monitor("val_auroc", True)),
        (["colour"], "val_calibration-error", Monitor("val_calibration-error", False)),
        (["shade"], "val_rmse", Monitor("val_rmse", False)),
        (["shade"], "val_r2", Monitor("val_r2", True)),
        (["colour", "shade"], "val_acc", Monitor("val_acc.colour", True)),
        (["colour", "tags"], "val_f1.tags", Monitor("val_f1.tags", True)),
        (["colour", "tags"], "val_loss.tags", Monitor("val_loss.tags", False)),
    ],
)
def test_the_monitored_metric_knows_its_direction(
    packed: PackedSet, targets: list[str], given: str, expected: Monitor
) -> None:
    chosen = recipe(monitor=given)
    objective = objective_of(chosen, learning(packed, *targets))
    assert monitor_of(chosen, objective) == expected
    data = learning(packed, *targets)
    labels = {name: torch.from_numpy(column) for name, column in data.columns.items()}
    column = labels if len(targets) > 1 else labels[targets[0]]
    measured = objective.measure(torch.zeros(len(packed), objective.outputs), column)
    assert expected.name in measured


@pytest.mark.parametrize(
    ("targets", "given", "sentence"),
    [
        (["colour"], "val_mae", "no metric of this name is measured"),
        (["shade"], "val_acc", "no metric of this name is measured"),
        (["colour", "shade"], "val_acc.shade", "no metric of this name is measured"),
        (["colour", "tags"], "val_f1", "say which of them"),
    ],
)
def test_a_monitored_metric_that_is_never_measured_is_an_error(
    packed: PackedSet, targets: list[str], given: str, sentence: str
) -> None:
    chosen = recipe(monitor=given)
    with pytest.raises(ObjectiveError, match=sentence):
        monitor_of(chosen, objective_of(chosen, learning(packed, *targets)))


def test_an_epoch_whose_metric_is_not_finite_is_the_worst() -> None:
    for monitor in (Monitor("val_acc", True), Monitor("val_mae", False)):
        ranks = [
            monitor.rank({monitor.name: value, "val_loss": loss})
            for value, loss in ((float("nan"), 0.1), (0.5, float("nan")), (0.5, 2.0), (0.5, 1.0))
        ]
        assert ranks == sorted(ranks) and len(set(ranks)) == 4
