from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

import skint
from jobs.card.job import Params, card
from jobs.card.page import plain
from jobs.card.trained import TrainedError
from jobs.training.recipe.recipe import Recipe
from skint.table import write_rows
from tests.jobs.small_set import small_set

COLUMNS = ("epoch", "stage", "train_loss", "val_loss", "val_acc", "lr")


def trained(folder: Path, fold: int, accuracy: float, **recipe: Any) -> Path:
    """A fold's files, as `train` writes them."""
    folder.mkdir(parents=True)
    fields = Recipe.model_validate(
        {"model": "resnet18", **({} if "stages" in recipe else {"epochs": 3}), **recipe}
    )
    files: dict[str, Any] = {
        "result.json": {
            "metric": "val_acc",
            "score": accuracy,
            "n": 12,
            "epochs": 3,
            "best_epoch": 2,
            "monitor": "val_acc",
            "metrics": {"val_loss": 0.5 + fold, "val_acc": accuracy, "val_f1": None},
        },
        "model.json": {
            "recipe": fields.model_dump(mode="json"),
            "fold": fold,
            "targets": [{"name": "label", "kind": "class"}],
            "dataset_sha256": "ab" * 32,
        },
        "training.json": {
            "versions": {"torch": "2.14.1", "timm": "1.0.31"},
            "precision": "bf16-mixed",
            "samples": {"train": 24, "validation": 12},
            "remarks": ["class_rows.json has a map"] + ["only fold 1"] * (fold == 1),
        },
        "local/timing.json": {"seconds": 3600.0 * (fold + 1), "device": "NVIDIA L4"},
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    rows = [
        [epoch, "head" if epoch == 1 else "all", 1 / epoch, 1.1 / epoch, accuracy, 0.01]
        for epoch in (1, 2, 3)
    ]
    write_rows(folder / "metrics.csv", COLUMNS, rows)
    return folder


@pytest.fixture
def folds(tmp_path: Path) -> list[Path]:
    return [trained(tmp_path / f"fold{n}", n, acc) for n, acc in enumerate((0.5, 0.75, 1.0))]


def carded(folder: Path, folds: list[Path], packed: Path | None = None, **params: Any) -> Path:
    inputs: dict[str, Any] = {"train": folds}
    if packed is not None:
        inputs["packed"] = packed
    ctx = skint.Context.for_test(folder, inputs=inputs)
    card(Params(**params), ctx)
    return ctx.out


def test_the_card_has_every_fold_and_their_mean_with_its_deviation(
    tmp_path: Path, folds: list[Path]
) -> None:
    text = (carded(tmp_path / "card", folds) / "card.md").read_text()
    assert text.startswith("# resnet18, 3 folds\n")
    assert "| fold | n | val_acc | val_loss | val_f1 | best epoch |" in text
    assert "| 1 | 12 | 0.75 | 1.5 | – | 2 of 3 |" in text
    assert "| all | 36 | 0.75 ± 0.25 | 1.5 ± 1 | – |  |" in text
    assert "torch 2.14.1, timm 1.0.31; precision bf16-mixed; seed 0" in text
    assert "- class_rows.json has a map (fold 0, 1, 2)\n- only fold 1 (fold 1)" in text


def test_what_differs_from_the_usual_recipe_comes_first(tmp_path: Path) -> None:
    fields = {"augment": {"rotate_deg": 15, "crop_scale": [0.5, 1]}, "lr": 0.0003, "compile": True}
    fold = trained(tmp_path / "fold", 0, 0.5, **fields)
    text = (carded(tmp_path / "card", [fold]) / "card.md").read_text()
    table = text.partition("## Recipe")[2].partition("As usual")[0]
    named = [line.split("|")[1].strip() for line in table.splitlines() if "|" in line]
    assert named == ["field", "---", "model", "compile", "augment", "epochs", "lr"]
    assert "crop_scale [0.5, 1], crop_ratio [0.75, 1.333], rotate_deg 15" in table
    assert "| compile | yes |" in table and "| lr | 0.0003 |" in table
    assert "batch_size 32" in text.partition("As usual")[2]


def test_each_stage_is_a_line_of_the_recipe(tmp_path: Path) -> None:
    stages = [
        {"size": 64, "epochs": 2, "freeze": "backbone"},
        {"name": "large", "epochs": 3, "mixup": 0},
    ]
    fold = trained(tmp_path / "fold", 0, 0.5, stages=stages)
    text = (carded(tmp_path / "card", [fold]) / "card.md").read_text()
    assert "| stage 1 | epochs 2, size 64, freeze backbone |" in text
    assert "| stage 2 | name large, epochs 3, mixup 0 |" in text
    assert "| epochs |" not in text and ", epochs" not in text.partition("As usual")[2]


def test_the_data_stand_in_it_with_their_classes_and_how_they_were_made(
    tmp_path: Path, folds: list[Path]
) -> None:
    packed = small_set(tmp_path / "packed")
    text = (carded(tmp_path / "card", folds, packed, title="Squares") / "card.md").read_text()
    assert text.startswith("# Squares\n")
    assert "36 samples, 16 × 16 pixels, 3 channels of uint8." in text
    assert "Made by test." in text
    assert "| 1 | 24 | 12 |" in text
    assert "| blue | 12 |\n| green | 12 |\n| red | 12 |" in text
    assert "ab" * 32 in text


def test_the_same_folds_write_the_same_bytes_and_hours_stay_on_this_machine(
    tmp_path: Path, folds: list[Path]
) -> None:
    first, second = carded(tmp_path / "a", folds), carded(tmp_path / "b", folds)
    for name in ("card.md", "curves.png"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert sorted(path.name for path in first.iterdir()) == ["card.md", "curves.png", "local"]
    assert "NVIDIA" not in (first / "card.md").read_text()
    hours = (first / "local" / "hours.md").read_text()
    assert "| 1 | 2.0000 | 7200.0 | NVIDIA L4 |" in hours and "Together 6.000 hours" in hours


def test_folds_that_were_trained_elsewhere_have_no_hours_here(tmp_path: Path) -> None:
    fold = trained(tmp_path / "fold", 0, 0.5)
    (fold / "local" / "timing.json").unlink()
    assert "elsewhere" in (carded(tmp_path / "card", [fold]) / "local" / "hours.md").read_text()


def test_the_curves_have_a_diagram_for_the_losses_each_metric_and_the_rate(
    tmp_path: Path, folds: list[Path]
) -> None:
    from jobs.card.curves import panels_of
    from jobs.card.trained import read_trained

    ctx = skint.Context.for_test(tmp_path / "look", inputs={"train": folds})
    found = read_trained(ctx)
    assert panels_of(found) == [("train_loss", "val_loss"), ("val_acc",), ("lr",)]
    assert found[0].stages == [(1, "head"), (2, "all")]
    epochs, losses = found[0].curve("train_loss")
    assert epochs == [1, 2, 3] and losses == pytest.approx([1, 0.5, 1 / 3])
    picture = (carded(tmp_path / "card", folds) / "curves.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (1320, 300)


def test_numbers_that_are_not_finite_are_left_out_of_the_curves(tmp_path: Path) -> None:
    fold = trained(tmp_path / "fold", 0, 0.5)
    write_rows(
        fold / "metrics.csv", ("epoch", "val_loss"), [[1, 0.7], [2, "nan"], [3, ""], [4, 0.5]]
    )
    from jobs.card.trained import read_trained

    ctx = skint.Context.for_test(tmp_path / "look", inputs={"train": fold})
    assert read_trained(ctx)[0].curve("val_loss") == ([1, 4], [0.7, 0.5])
    assert (carded(tmp_path / "card", [fold]) / "curves.png").stat().st_size > 1000


def test_a_training_of_ones_own_needs_no_more_than_a_result_and_metrics(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "result.json").write_text('{"metric": "val_loss", "score": 0.25, "n": 40}')
    write_rows(folder / "metrics.csv", ("epoch", "val_loss"), [[1, 0.5], [2, 0.25]])
    text = (carded(tmp_path / "card", [folder]) / "card.md").read_text()
    assert text.startswith("# training, 1 fold\n")
    assert "| 0 | 40 | 0.25 | – of – |" in text


def test_a_fold_without_a_result_is_named(tmp_path: Path) -> None:
    fold = trained(tmp_path / "fold", 0, 0.5)
    (fold / "result.json").unlink()
    with pytest.raises(TrainedError, match="no result"):
        carded(tmp_path / "card", [fold])
    (fold / "result.json").write_text("{")
    with pytest.raises(TrainedError, match="cannot be read"):
        carded(tmp_path / "again", [fold])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a|b", "a\\|b"),
        ("val_acc", "val_acc"),
        ("_x_ *y*", "\\_x\\_ \\*y\\*"),
        ("[a](b)", "[a\\](b)"),
        ("two\nlines", "two lines"),
    ],
)
def test_names_are_no_markdown(given: str, wanted: str) -> None:
    assert plain(given) == wanted
