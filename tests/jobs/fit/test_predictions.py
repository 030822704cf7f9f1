"""What a module returned of held-out samples, checked and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

import skint
from jobs.errors.job import Params as ErrorsParams
from jobs.errors.job import errors
from jobs.errors.saved import PredictionsError
from jobs.fit.held_out import HeldOut, HeldOutError
from jobs.fit.predictions import predictions_of
from jobs.training.results.predictions import write
from skint.dataset import PackedWriter, Sample, Target

pytestmark = pytest.mark.torch

CLASSES = ("hat", "shirt", "shoe")
TRUE = [2, 0, 1, 1, 0, 2]
DEPTH = [1.5, 0.1, 7.0, 2.0, 3.0, 4.0]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Six pictures of three classes, each with a depth; rows 1, 3 and 5 are held out in fold 1."""
    folder = tmp_path_factory.mktemp("sets")
    with PackedWriter(folder / "packed", shape=(6, 2, 2, 3), dtype="uint8") as writer:
        writer.images()[:] = 7
        samples = [
            Sample(
                n, str(n), f"{n}.png", targets={"label": CLASSES[TRUE[n]], "depth": str(DEPTH[n])}
            )
            for n in range(6)
        ]
        targets = [Target("label", "class", CLASSES), Target("depth", "value")]
        writer.finish(samples, targets, channels="RGB", made_by={"job": "test"})
    (folder / "folds").mkdir()
    lines = "".join(f"{n},{n % 2}\n" for n in range(6))
    (folder / "folds" / "folds.csv").write_text(f"id,fold\n{lines}")
    return {"packed": folder / "packed", "folds": folder / "folds"}


def one(rows: list[int], told: list[int], **changes: Any) -> dict[str, Any]:
    """A batch whose probabilities are 0.8 for the class that is told."""
    probabilities = torch.full((len(rows), 3), 0.1)
    probabilities[range(len(rows)), told] = 0.8
    target = torch.tensor([TRUE[n] for n in rows])
    given = {"ids": torch.tensor(rows), "target": target, "probabilities": probabilities}
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def gathered(*batches: Any) -> Any:
    held_out = HeldOut()
    for batch in batches:
        held_out.add(batch)
    return held_out.whole()


def attempt(tmp_path: Path, inputs: dict[str, Path], fold: int = 1) -> skint.Context:
    return skint.Context.for_test(tmp_path / "fit", inputs=inputs, fold=fold, folds=2)


def test_samples_stand_in_the_order_of_their_ids_with_what_is_true_of_them(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    given = gathered(one([5, 1], [2, 1]), one([3], [1]))
    found = predictions_of(given, attempt(tmp_path, inputs))
    (part,) = found.targets
    assert found.ids.tolist() == [1, 3, 5]
    assert (part.name, part.kind, part.classes) == ("label", "class", CLASSES)
    assert part.target.tolist() == [0, 1, 2]
    assert part.predicted.argmax(axis=1).tolist() == [1, 1, 2]


def test_a_buffer_that_its_loader_fills_again_is_kept_as_it_was() -> None:
    held_out, batch = HeldOut(), one([1, 3], [0, 1])
    held_out.add(batch)
    for value in batch.values():
        value.zero_()
    whole = held_out.whole()
    assert whole is not None and whole["ids"].tolist() == [1, 3]
    assert whole["probabilities"].sum().item() == pytest.approx(2)


@pytest.mark.parametrize(
    "returned", [None, torch.tensor(0.3), {"loss": 1.0}, {"ids": torch.ones(2, 9)}]
)
def test_a_step_that_returns_something_else_gives_nothing(returned: Any) -> None:
    assert gathered(returned, returned) is None


def test_values_are_found_by_what_is_true_of_them(tmp_path: Path, inputs: dict[str, Path]) -> None:
    given = gathered(
        {"ids": [3, 1], "target": torch.tensor([2.0, 0.1]), "values": torch.tensor([2.5, 0.0])}
    )
    (part,) = predictions_of(given, attempt(tmp_path, inputs)).targets
    assert (part.name, part.kind) == ("depth", "value")
    assert part.target.tolist() == [0.1, 2.0] and part.predicted.tolist() == [0.0, 2.5]


def test_without_a_packed_set_classes_are_called_by_their_numbers(tmp_path: Path) -> None:
    numbers = {"ids": torch.tensor([70, 1]), "target": torch.tensor([2, -1])}
    given = gathered(one([0, 1], [0, 1], **numbers))
    found = predictions_of(given, attempt(tmp_path, {}))
    assert found.ids.tolist() == [1, 70]
    assert found.targets[0].classes == ("0", "1", "2")
    assert found.targets[0].target.tolist() == [-1, 2]


def test_several_labels_a_sample_have_a_column_each(tmp_path: Path) -> None:
    target = torch.tensor([[1, 0], [1, 1]])
    told = torch.tensor([[0.9, 0.8], [0.2, 0.0]])
    given = gathered({"ids": [4, 2], "target": target, "probabilities": told})
    (part,) = predictions_of(given, attempt(tmp_path, {})).targets
    assert part.kind == "multilabel"
    assert part.target.tolist() == [[1, 1], [1, 0]]


NAN = torch.full((2, 3), float("nan"))
MISTAKES: dict[str, tuple[list[Any], str, str]] = {
    "no target": ([one([1, 3], [0, 1], target=None)], "no predictions of a batch", "ids, prob"),
    "another length": (
        [one([1, 3], [0, 1], target=torch.tensor([0, 1, 1]))],
        "no predictions of a batch",
        "target (3,)",
    ),
    "a vector of probabilities": (
        [one([1, 3], [0, 1], probabilities=torch.tensor([0.1, 0.9]))],
        "no predictions of a batch",
        "probabilities (2,)",
    ),
    "names for ids": ([one([1], [0], ids=["1.png"])], "ids is no tensor", "str"),
    "fractions for ids": (
        [one([1], [0], ids=torch.tensor([1.0]))],
        "ids are whole numbers",
        "float32",
    ),
    "batches of other widths": (
        [one([1], [0]), one([3], [0], probabilities=torch.tensor([[0.5, 0.5]]))],
        "do not fit each other",
        "probabilities (1, 3); then",
    ),
    "some batches without": ([one([1], [0]), None], "some batches only", "1 of 2 batches"),
    "a sample twice": ([one([1], [0]), one([1], [0])], "predicted twice", "id 1"),
    "no numbers": ([one([1, 3], [0, 1], probabilities=NAN)], "not finite", "2 of 2 samples"),
    "logits": (
        [one([1], [0], probabilities=torch.tensor([[-2.0, 3.0, 0.0]]))],
        "between 0 and 1",
        "-2 to 3",
    ),
    "no softmax": (
        [one([1], [0], probabilities=torch.tensor([[0.9, 0.9, 0.0]]))],
        "add up to 1",
        "1.8",
    ),
    "too few classes": (
        [one([1], [0], probabilities=torch.tensor([[0.5, 0.5]]))],
        "2 probabilities were given",
        "3, one for each class: hat, shirt, shoe",
    ),
    "classes in another order": (
        [one([1, 3], [0, 1], target=torch.tensor([1, 0]))],
        "another label than the packed set",
        "wanted  0 (hat)",
    ),
    "a row that is not there": (
        [one([1, 3], [0, 1], ids=torch.tensor([1, 6]))],
        "ids are rows of the packed set",
        "0 to 5",
    ),
    "a row that trained": ([one([1, 4], [0, 0])], "fold 1 does not hold out", "4.png"),
    "another kind of target": (
        [{"ids": [1], "target": torch.zeros(1, 3), "probabilities": torch.zeros(1, 3)}],
        "no target of the kind multilabel",
        "label (class), depth (value)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_error_that_says_where(
    tmp_path: Path, inputs: dict[str, Path], mistake: str
) -> None:
    batches, what, hint = MISTAKES[mistake]
    with pytest.raises(HeldOutError) as caught:
        predictions_of(gathered(*batches), attempt(tmp_path, inputs))
    assert what in caught.value.what
    assert hint in str(caught.value)


def test_a_number_that_stands_for_no_class_is_refused_without_a_set_too(tmp_path: Path) -> None:
    given = gathered(one([1], [0], target=torch.tensor([3])))
    with pytest.raises(HeldOutError, match="stands for no class"):
        predictions_of(given, attempt(tmp_path, {}))


def test_the_error_report_reads_them_and_says_which_fold_has_none(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    folds = tuple(tmp_path / f"fit{fold}" for fold in range(2))
    for folder in folds:
        folder.mkdir()
    found = predictions_of(gathered(one([1, 3, 5], [0, 1, 0])), attempt(tmp_path, inputs))
    write(folds[1] / "predictions.npz", found)
    (folds[0] / "result.json").write_text('{"no_predictions": "they broke"}')
    ctx = skint.Context.for_test(tmp_path / "errors", inputs={"fit": folds, **inputs})
    errors(ErrorsParams(), ctx)
    lines = ctx.attempt.events.read_text().splitlines()
    notes = [json.loads(line).get("text") for line in lines]
    assert "most confused: hat ↔ shoe (1)" in notes
    assert "without predictions: fit, fold 0: they broke" in notes


def test_the_error_report_says_why_there_is_nothing_to_show(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    folds = tuple(tmp_path / f"fit{fold}" for fold in range(2))
    for folder in folds:
        folder.mkdir()
        (folder / "result.json").write_text('{"no_predictions": "nothing was returned"}')
    ctx = skint.Context.for_test(tmp_path / "errors", inputs={"fit": folds, **inputs})
    with pytest.raises(PredictionsError) as caught:
        errors(ErrorsParams(), ctx)
    assert caught.value.got == "fit: nothing was returned"


def test_half_precision_is_near_enough_to_one(tmp_path: Path, inputs: dict[str, Path]) -> None:
    told = torch.tensor([[0.333, 0.333, 0.333]], dtype=torch.bfloat16)
    given = gathered(one([1], [0], probabilities=told))
    (part,) = predictions_of(given, attempt(tmp_path, inputs)).targets
    assert part.predicted.dtype == np.float32
