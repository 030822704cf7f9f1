"""What each kind of target costs and measures, against scikit-learn and by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import torch
from sklearn import metrics

from jobs.training.objective.base import Objective, ObjectiveError
from jobs.training.objective.classes import Classes
from jobs.training.objective.multilabel import Multilabel
from jobs.training.objective.several import Several
from jobs.training.objective.values import Values

pytestmark = pytest.mark.torch

NAMES = ("a", "b", "c", "d")


def drawn(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(len(shape)).normal(0, 2, shape)).float()


def classes_of(count: int) -> torch.Tensor:
    """Of a, b and c; d never comes."""
    return torch.from_numpy(np.random.default_rng(1).integers(0, 3, count))


def objectives() -> list[tuple[Objective, torch.Tensor, torch.Tensor]]:
    """One of each kind with the labels of four samples and an unknown one of each."""
    hot = torch.tensor([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=torch.uint8)
    return [
        (Classes("k", NAMES, smoothing=0.1), torch.tensor([0, 2, 1, 0]), torch.tensor(-1)),
        (Multilabel("m", ("x", "y")), hot, torch.tensor([255, 0], dtype=torch.uint8)),
        (
            Values("v", mean=10.0, std=2.0),
            torch.tensor([9.0, 14.0, 11.0, 7.0], dtype=torch.float64),
            torch.tensor(math.nan, dtype=torch.float64),
        ),
    ]


def test_metrics_of_classes_are_those_of_scikit_learn_over_the_classes_that_are_there() -> None:
    names = ("acc", "f1", "precision", "recall", "auroc", "average-precision", "kappa", "mcc")
    outputs, labels = drawn(60, 4), classes_of(60)
    got = Classes("k", NAMES, names).measure(outputs, labels)
    told, true = outputs.argmax(1).numpy(), labels.numpy()
    seen = [0, 1, 2]
    probabilities = outputs.softmax(1).numpy()
    expected = {
        "val_acc": metrics.accuracy_score(true, told),
        "val_f1": metrics.f1_score(true, told, labels=seen, average="macro"),
        "val_precision": metrics.precision_score(true, told, labels=seen, average="macro"),
        "val_recall": metrics.recall_score(true, told, labels=seen, average="macro"),
        "val_auroc": np.mean([metrics.roc_auc_score(true == k, probabilities[:, k]) for k in seen]),
        "val_average-precision": np.mean(
            [metrics.average_precision_score(true == k, probabilities[:, k]) for k in seen]
        ),
        "val_kappa": metrics.cohen_kappa_score(true, told),
        "val_mcc": metrics.matthews_corrcoef(true, told),
        "val_loss": metrics.log_loss(true, probabilities, labels=[0, 1, 2, 3]),
    }
    assert got == pytest.approx(expected, abs=1e-6)
    assert list(got) == ["val_loss", *(f"val_{name}" for name in names)]


def test_metrics_of_several_classes_a_picture_are_those_of_scikit_learn() -> None:
    outputs = drawn(50, 3)
    true = (np.random.default_rng(3).random((50, 3)) < (0.3, 0.5, 0.0)).astype(np.uint8)
    names = ("f1", "precision", "recall", "auroc", "average-precision")
    got = Multilabel("m", NAMES[:3], names).measure(outputs, torch.from_numpy(true))
    probabilities = outputs.sigmoid().numpy()
    told, seen = probabilities > 0.5, [0, 1]  # nobody has the third
    pairs: dict[str, Callable[[int], Any]] = {
        "f1": lambda k: metrics.f1_score(true[:, k], told[:, k]),
        "precision": lambda k: metrics.precision_score(true[:, k], told[:, k]),
        "recall": lambda k: metrics.recall_score(true[:, k], told[:, k]),
        "auroc": lambda k: metrics.roc_auc_score(true[:, k], probabilities[:, k]),
        "average-precision": lambda k: metrics.average_precision_score(
            true[:, k], probabilities[:, k]
        ),
    }
    for name, of_class in pairs.items():
        assert got[f"val_{name}"] == pytest.approx(np.mean([of_class(k) for k in seen]), abs=1e-6)
    loss = np.mean([metrics.log_loss(true[:, k], probabilities[:, k], labels=[0, 1])
                    for k in range(3)])  # fmt: skip
    assert got["val_loss"] == pytest.approx(loss, abs=1e-6)


def test_numbers_are_measured_in_their_own_unit_and_lost_in_deviations() -> None:
    outputs = torch.tensor([[0.0], [1.0], [-1.0]])
    labels = torch.tensor([2000.0, 2010.0, 1996.0], dtype=torch.float64)
    got = Values("year", ("mae", "rmse", "r2"), mean=2000.0, std=8.0).measure(outputs, labels)
    told = np.array([2000.0, 2008.0, 1992.0])
    assert got["val_mae"] == pytest.approx(2.0)
    assert got["val_rmse"] == pytest.approx(math.sqrt((0 + 4 + 16) / 3))
    assert got["val_r2"] == pytest.approx(metrics.r2_score(labels.numpy(), told))
    assert got["val_loss"] == pytest.approx(np.mean([0, 0.25**2, 0.5**2]))


@pytest.mark.parametrize(("loss", "expected"), [("mse", 9.0), ("l1", 3.0), ("huber", 2.5)])
def test_numbers_have_three_losses(loss: str, expected: float) -> None:
    objective = Values("v", mean=5.0, std=2.0, loss=loss)
    got = objective.loss(torch.tensor([[3.0]]), torch.tensor([5.0], dtype=torch.float64))
    assert float(got) == pytest.approx(expected)


def test_large_numbers_keep_their_last_digits() -> None:
    seconds = 1.7e9 + torch.tensor([0.0, 2.0, 4.0], dtype=torch.float64)
    objective = Values("at", mean=1.7e9 + 2, std=2.0)
    outputs = torch.tensor([[-1.0], [0.0], [1.0]])
    assert float(objective.loss(outputs, seconds)) == 0
    assert objective.activate(outputs)["at"].tolist() == seconds.tolist()


@pytest.mark.parametrize("kind", [0, 2])  # cells of several classes are always known
def test_what_is_unknown_counts_in_no_loss_and_no_metric(kind: int) -> None:
    objective, labels, unknown = objectives()[kind]
    outputs = drawn(5, objective.outputs)
    padded = torch.cat([labels, unknown[None]])
    assert torch.allclose(objective.loss(outputs, padded), objective.loss(outputs[:4], labels))
    assert objective.measure(outputs, padded) == objective.measure(outputs[:4], labels)


@pytest.mark.parametrize("kind", [0, 2])
def test_a_batch_of_unknown_labels_teaches_nothing_and_breaks_nothing(kind: int) -> None:
    objective, _labels, unknown = objectives()[kind]
    outputs = drawn(3, objective.outputs).requires_grad_()
    loss = objective.loss(outputs, unknown.repeat(3))
    loss.backward()
    assert float(loss.detach()) == 0 and not outputs.grad.any()
    measured = objective.measure(outputs.detach(), unknown.repeat(3))
    assert measured and all(map(math.isnan, measured.values()))


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("share", [1.0, 0.0])
def test_a_mix_of_one_picture_alone_is_that_picture(kind: int, share: float) -> None:
    objective, labels, _unknown = objectives()[kind]
    outputs, partner = drawn(4, objective.outputs), labels.flip(0)
    mixed = objective.mixed_loss(outputs, labels, partner, share)
    assert torch.allclose(mixed, objective.loss(outputs, labels if share else partner))


def test_the_loss_of_a_mix_is_that_of_soft_labels_with_weights_and_smoothing() -> None:
    weight = torch.tensor([0.5, 2.0, 1.0, 0.5])
    objective = Classes("k", NAMES, weight=weight, smoothing=0.1)
    outputs, labels, partner = drawn(6, 4), classes_of(6), classes_of(6).flip(0)
    soft = 0.3 * torch.nn.functional.one_hot(labels, 4) + 0.7 * torch.nn.functional.one_hot(
        partner, 4
    )
    # cross_entropy of probabilities weighs every class of a sample and divides by the samples.
    expected = torch.nn.functional.cross_entropy(outputs, soft, weight=weight, label_smoothing=0.1)
    assert torch.allclose(objective.mixed_loss(outputs, labels, partner, 0.3), expected)


def test_half_of_a_pair_may_be_unknown() -> None:
    objective = Classes("k", NAMES)
    outputs = drawn(2, 4)
    mixed = objective.mixed_loss(
        outputs, torch.tensor([0, 1]), torch.tensor([-1, 1]), torch.tensor([0.4, 0.5])
    )
    costs = torch.nn.functional.cross_entropy(outputs, torch.tensor([0, 1]), reduction="none")
    assert torch.allclose(mixed, (0.4 * costs[0] + costs[1]) / 1.4)


def test_several_targets_share_the_outputs_and_the_loss() -> None:
    parts = objectives()
    objective = Several(tuple(part for part, _, _ in parts), {"m": 2.0})
    labels = {part.name: column for part, column, _ in parts}
    outputs = drawn(4, 7)
    slices = {"k": outputs[:, :4], "m": outputs[:, 4:6], "v": outputs[:, 6:]}
    own = {part.name: part.loss(slices[part.name], labels[part.name]) for part, _, _ in parts}
    assert objective.outputs == 7
    assert torch.allclose(objective.loss(outputs, labels), own["k"] + 2 * own["m"] + own["v"])
    assert torch.allclose(objective.mixed_loss(outputs, labels, labels, 0.5),
                          objective.loss(outputs, labels))  # fmt: skip
    shapes = {name: tuple(value.shape) for name, value in objective.activate(outputs).items()}
    assert shapes == {"k": (4, 4), "m": (4, 2), "v": (4,)}
    got = objective.measure(outputs, labels)
    assert set(got) == {"val_loss", "val_loss.k", "val_acc.k", "val_loss.m", "val_f1.m",
                        "val_loss.v", "val_mae.v"}  # fmt: skip
    assert got["val_loss"] == pytest.approx(
        got["val_loss.k"] + 2 * got["val_loss.m"] + got["val_loss.v"]
    )
    assert objective.row_names == ("a", "b", "c", "d", "x", "y", "v")
    assert objective.class_rows == dict(enumerate("abcdxy"))


def test_each_class_is_judged_by_itself() -> None:
    outputs = torch.eye(4)[[0, 0, 1, 3]]
    assert Classes("k", NAMES).by_class(outputs, torch.tensor([0, 1, 1, -1])) == {
        "k": {"a": {"acc": 1.0, "n": 1}, "b": {"acc": 0.5, "n": 2}}
    }
    hot = torch.tensor([[1, 0], [1, 0]])
    told = torch.tensor([[9.0, -9.0], [-9.0, -9.0]])
    found = Multilabel("m", ("x", "y")).by_class(told, hot)
    assert found == {"m": {"x": {"f1": pytest.approx(2 / 3), "n": 2}}}


@pytest.mark.parametrize("kind", range(3))
def test_an_output_of_another_width_is_refused(kind: int) -> None:
    objective, labels, _ = objectives()[kind]
    for outputs in (drawn(4, objective.outputs + 1), drawn(4)):
        with pytest.raises(ObjectiveError, match="does not fit the targets"):
            objective.loss(outputs, labels)
