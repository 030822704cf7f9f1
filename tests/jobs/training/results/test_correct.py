"""The file that says which held-out pictures a training got right."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from jobs.training.results.correct import write_correct
from jobs.training.results.predictions import Predictions, TargetPredictions

pytestmark = pytest.mark.torch


def target(name: str, labels: list[int], said: list[int], classes: int = 3) -> TargetPredictions:
    names = tuple("abcdefghij"[:classes])
    predicted = np.eye(classes, dtype=np.float32)[said]
    return TargetPredictions(name, "class", names, np.array(labels), predicted)


def number(name: str = "weight") -> TargetPredictions:
    return TargetPredictions(name, "value", (), np.zeros(4), np.zeros(4))


def written(path: Path, *targets: TargetPredictions, metric: str = "val_acc") -> dict[str, Any]:
    ids = np.array([3, 5, 8, 9])
    write_correct(path / "correct.json", Predictions(ids, targets), metric)
    content: dict[str, Any] = json.loads((path / "correct.json").read_text())
    return content


def bits(content: dict[str, Any]) -> list[bool]:
    packed = np.frombuffer(base64.b64decode(content["right"]), dtype=np.uint8)
    return [bool(bit) for bit in np.unpackbits(packed, count=content["items"])]


def test_each_picture_has_a_bit(tmp_path: Path) -> None:
    content = written(tmp_path, target("label", [0, 1, 2, 0], [0, 2, 2, 0]))

    assert bits(content) == [True, False, True, True]
    assert (content["version"], content["metric"], content["items"]) == (1, "val_acc", 4)


def test_the_same_pictures_have_one_number_whatever_was_predicted(tmp_path: Path) -> None:
    one = written(tmp_path, target("label", [0, 1, 2, 0], [0, 2, 2, 0]))
    other = written(tmp_path, target("label", [0, 1, 2, 0], [1, 1, 1, 1]))
    corrected = written(tmp_path, target("label", [0, 1, 2, 1], [1, 1, 1, 1]))

    assert one["pictures"] == other["pictures"]
    assert corrected["pictures"] != one["pictures"], "a label was changed in between"


def test_pictures_without_a_label_do_not_count(tmp_path: Path) -> None:
    content = written(tmp_path, target("label", [0, -1, 2, 0], [0, 2, 1, 0]))

    assert bits(content) == [True, False, True]


def test_of_several_targets_it_is_the_one_that_the_score_is_of(tmp_path: Path) -> None:
    one, other = target("one", [0] * 4, [0] * 4), target("other", [0] * 4, [1] * 4)

    named = written(tmp_path, number(), one, other, metric="val_acc.other")
    first = written(tmp_path, number(), one, other, metric="val_loss")

    assert (named["metric"], bits(named)) == ("val_acc.other", [False] * 4)
    assert (first["metric"], bits(first)) == ("val_acc.one", [True] * 4)


def test_where_nothing_is_of_one_class_there_is_no_file(tmp_path: Path) -> None:
    write_correct(tmp_path / "correct.json", Predictions(np.arange(4), (number(),)), "val_mae")

    assert not (tmp_path / "correct.json").exists()
