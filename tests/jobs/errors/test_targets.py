"""The report on targets that are not one class a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skint
from jobs.errors.job import Params, errors
from jobs.errors.saved import PredictionsError
from skint.dataset import PackedSet, Target
from skint.table import write_rows
from tests.jobs.page import Page
from tests.jobs.several_set import COLOURS, TAGS, UNKNOWN_COLOUR, UNKNOWN_SHADE, several_set

COUNT, FOLDS = 36, 3


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return several_set(tmp_path / "packed", COUNT, folds=FOLDS)


def predicted(packed: Path) -> dict[str, Any]:
    """All right, but: the tags of 0 are turned round, 3 has one too many; shades are 2 too high,
    that of 9 by 50.
    """
    data = PackedSet.open(packed)
    labels, hot, values = data.labels(), data.multi_hot(), data.values()
    tags = hot * 0.8 + 0.1
    tags[0], tags[3] = 0.95 - tags[0], (0.6, 0.6)
    shades = np.nan_to_num(values, nan=1100.0) + 2
    shades[9] = values[9] + 50
    return {
        "target": labels,
        "probabilities": np.eye(3, dtype=np.float32)[labels],
        "classes": np.array(COLOURS),
        "tags.target": hot,
        "tags.probabilities": tags.astype(np.float32),
        "tags.classes": np.array(TAGS),
        "shade.target": values,
        "shade.values": shades,
    }


def trained(tmp_path: Path, packed: Path, names: list[str], **change: Any) -> tuple[Path, ...]:
    """The out-of-fold predictions of these targets, a folder each fold."""
    arrays = {**predicted(packed), **change}
    folders = []
    for fold in range(FOLDS):
        ids = np.flatnonzero(np.arange(COUNT) // 3 % FOLDS == fold)
        folder = tmp_path / f"train{fold}"
        folder.mkdir(exist_ok=True)
        part = {
            name: array if name.endswith("classes") else array[ids]
            for name, array in arrays.items()
            if "." not in name or name.partition(".")[0] in names
        }
        np.savez(folder / "predictions.npz", ids=ids, targets=np.array(names), **part)
        metrics = ("epoch", "train_loss", "val_loss", "val_mae.shade")
        write_rows(folder / "metrics.csv", metrics, [(n, 1 / n, 1 / n, 9 / n) for n in (1, 2)])
        folders.append(folder)
    return tuple(folders)


def reported(
    tmp_path: Path, packed: Path, folds: tuple[Path, ...]
) -> tuple[dict[str, Any], str, str]:
    """errors.json, the page and the events."""
    ctx = skint.Context.for_test(tmp_path / "errors", inputs={"train": folds, "packed": packed})
    errors(Params(), ctx)
    facts = json.loads((ctx.out / "errors.json").read_text())
    return facts, (ctx.out / "report.html").read_text(), ctx.attempt.events.read_text()


def test_each_target_is_reported_by_its_kind(tmp_path: Path, packed: Path) -> None:
    folds = trained(tmp_path, packed, ["colour", "tags", "shade"])
    facts, text, events = reported(tmp_path, packed, folds)
    assert (facts["target"], facts["n"], facts["accuracy"]) == ("colour", COUNT - 1, 1.0)
    tags, shade = facts["targets"]["tags"], facts["targets"]["shade"]
    assert tags["exact"] == pytest.approx(1 - 2 / COUNT)
    assert [(one["id"], one["fold"]) for one in tags["worst"]] == [(0, 0), (3, 1)]
    assert (
        sum(row["support"] for row in tags["per_class"]) == PackedSet.open(packed).multi_hot().sum()
    )
    assert (shade["n"], shade["of"]) == (COUNT - 1, COUNT - 1)
    assert shade["mae"] == shade["bias"] == pytest.approx((2 * (COUNT - 2) + 50) / (COUNT - 1))
    assert [one["id"] for one in shade["worst"][:1]] == [9]
    assert sum(part["n"] for part in shade["along"]) == COUNT - 1
    assert UNKNOWN_SHADE not in [one["id"] for one in shade["worst"]]
    assert UNKNOWN_COLOUR not in [one["id"] for one in facts["costliest"]]
    page = Page(text)
    assert len(page.all("img")) == 2 + 24
    assert "val_mae.shade" in text and str(tmp_path) not in text
    assert "shade: off by" in events and "tags: all right on 94.4%" in events


def test_a_set_without_a_class_is_reported_too(tmp_path: Path) -> None:
    shade = (Target("shade", "value"),)
    packed = several_set(tmp_path / "packed", COUNT, folds=FOLDS, targets=shade)
    full = several_set(tmp_path / "full", COUNT, folds=FOLDS)
    folds = trained(tmp_path, full, ["shade"])
    facts, text, _events = reported(tmp_path, packed, folds)
    assert facts["target"] is None and list(facts["targets"]) == ["shade"]
    assert facts["targets"]["shade"]["r2"] < 1
    Page(text)


def test_a_second_class_target_that_was_learnt_alone_is_the_one_reported(tmp_path: Path) -> None:
    from tests.jobs.table_set import table_set

    columns = {"kind": ["a", "b"] * 6, "size": ["large"] * 6 + ["small"] * 6}
    packed = table_set(tmp_path / "packed", columns)
    labels = packed.labels("size")
    (tmp_path / "train").mkdir()
    np.savez(
        tmp_path / "train" / "predictions.npz",
        ids=np.arange(12),
        targets=np.array(["size"]),
        target=labels,
        probabilities=np.eye(2)[labels][::-1],
        classes=np.array(["large", "small"]),
    )
    facts, _text, _events = reported(tmp_path, packed.folder, (tmp_path / "train",))
    assert (facts["target"], facts["accuracy"]) == ("size", 0.0)
    assert facts["costliest"][0]["label"] == "large"


@pytest.mark.parametrize(
    ("names", "change", "words"),
    [
        (["colour", "size"], {}, "a target that the packed set has not: size"),
        (["shade"], {"shade.target": np.arange(COUNT) * 1.0}, "another shade for 0.png"),
        (["shade"], {"shade.values": np.full(COUNT, np.nan)}, "not finite"),
        (["tags"], {"tags.probabilities": np.zeros((COUNT, 3))}, "do not fit each other"),
        (["tags"], {"tags.classes": np.array(["warm", "dark"])}, "other classes"),
    ],
)
def test_predictions_of_another_target_are_refused(
    tmp_path: Path, packed: Path, names: list[str], change: dict[str, Any], words: str
) -> None:
    with pytest.raises(PredictionsError, match=words):
        reported(tmp_path, packed, trained(tmp_path, packed, names, **change))


def test_folds_that_learnt_different_targets_are_refused(tmp_path: Path, packed: Path) -> None:
    both = trained(tmp_path, packed, ["colour", "shade"])
    content = (both[0] / "predictions.npz").read_bytes()
    one = trained(tmp_path, packed, ["colour"])
    (both[0] / "predictions.npz").write_bytes(content)
    with pytest.raises(PredictionsError, match="has not learnt shade as the others have"):
        reported(tmp_path, packed, one)
