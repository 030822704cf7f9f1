from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import skint
from jobs.errors.job import Params, errors
from jobs.errors.saved import PredictionsError
from skint.dataset import PackedWriter, Sample, Target
from skint.table import write_rows
from tests.jobs.page import Page

CLASSES = ("hat", "<b>shirt</b>", "t-shirt")
FOLDS = 3


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """30 pictures of three classes."""
    folder = tmp_path / "packed"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3)).astype(np.uint8)
    with PackedWriter(folder, shape=pixels.shape, dtype="uint8") as writer:
        writer.images()[:] = pixels
        samples = [
            Sample(n, str(n), f"{n}.jpg", targets={"label": CLASSES[n % 3]}) for n in range(30)
        ]
        targets = [Target("label", "class", CLASSES)]
        writer.finish(samples, targets, channels="RGB", made_by={"job": "test"})
    return folder


def probabilities(target: np.ndarray, predicted: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """(n, 3) rows with `sure` on the predicted class and most of the rest on the true one."""
    out = np.zeros((len(target), 3), dtype=np.float32)
    rows = np.arange(len(target))
    out[rows, target] += 1 - sure
    out[rows, predicted] += sure
    return out


def trained(folder: Path, ids: np.ndarray, predicted: np.ndarray, sure: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    target = ids % 3
    np.savez(
        folder / "predictions.npz",
        ids=ids,
        target=target,
        probabilities=probabilities(target, predicted, sure),
        classes=np.array(CLASSES),
    )
    rows = [(epoch, 1 / epoch, "nan" if epoch == 2 else 1 / epoch) for epoch in (1, 2, 3)]
    write_rows(folder / "metrics.csv", ("epoch", "train_loss", "val_loss"), rows)
    return folder


def mistaken(tmp_path: Path) -> tuple[Path, ...]:
    """Three folds; pictures 1, 4 and 7 (shirts) are taken for t-shirts, 2 (a t-shirt) for a hat."""
    folders = []
    for fold in range(FOLDS):
        ids = np.arange(30)[np.arange(30) // 10 == fold]
        predicted, sure = ids % 3, np.full(len(ids), 0.9)
        for row, number in enumerate(ids):
            if number in (1, 4, 7):
                predicted[row], sure[row] = 2, 0.6 + number / 100
            elif number == 2:
                predicted[row], sure[row] = 0, 0.99
        folders.append(trained(tmp_path / f"train{fold}", ids, predicted, sure))
    return tuple(folders)


def reported(tmp_path: Path, packed: Path, folds: tuple[Path, ...]) -> skint.Context:
    ctx = skint.Context.for_test(tmp_path / "errors", inputs={"train": folds, "packed": packed})
    errors(Params(), ctx)
    return ctx


def test_the_matrix_adds_up_to_the_number_of_pictures(tmp_path: Path, packed: Path) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    facts = json.loads((ctx.out / "errors.json").read_text())
    assert facts["n"] == 30 and sum(map(sum, facts["confusion"])) == 30
    assert facts["confusion"] == [[10, 0, 0], [0, 7, 3], [1, 0, 9]]
    assert facts["accuracy"] == pytest.approx(26 / 30)
    assert [fold["accuracy"] for fold in facts["folds"]] == pytest.approx([0.6, 1, 1])


def test_each_class_has_its_precision_and_recall(tmp_path: Path, packed: Path) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    hat, shirt, t_shirt = json.loads((ctx.out / "errors.json").read_text())["per_class"]
    assert (hat["precision"], hat["recall"]) == pytest.approx((10 / 11, 1))
    assert (shirt["precision"], shirt["recall"]) == pytest.approx((1, 0.7))
    assert (t_shirt["precision"], t_shirt["recall"]) == pytest.approx((9 / 12, 0.9))
    assert t_shirt["f1"] == pytest.approx(2 * 0.75 * 0.9 / 1.65)


def test_the_most_confused_pair_is_told_and_counted_both_ways(tmp_path: Path, packed: Path) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    pair = json.loads((ctx.out / "errors.json").read_text())["most_confused"][0]
    assert pair["classes"] == ["<b>shirt</b>", "t-shirt"]
    assert (pair["count"], pair["first_as_second"], pair["second_as_first"]) == (3, 3, 0)
    notes = [json.loads(line).get("text") for line in ctx.attempt.events.read_text().splitlines()]
    assert "most confused: <b>shirt</b> ↔ t-shirt (3)" in notes


def test_mistakes_are_listed_by_their_loss(tmp_path: Path, packed: Path) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    mistakes = json.loads((ctx.out / "errors.json").read_text())["costliest"]
    assert [mistake["id"] for mistake in mistakes] == [2, 7, 4, 1]
    assert mistakes[0]["label"] == "t-shirt" and mistakes[0]["predicted"] == "hat"
    assert mistakes[0]["loss"] == pytest.approx(-np.log(0.01), rel=1e-4)


def test_the_page_needs_no_other_file_and_describes_its_pictures(
    tmp_path: Path, packed: Path
) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    text = (ctx.out / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    pictures = page.all("img")
    assert len(pictures) == 4
    assert all((p["src"] or "").startswith("data:image/png;base64,") for p in pictures)
    assert all(p["alt"] for p in pictures)
    assert "http" not in text.replace("http-equiv", "") and not page.all("script")
    assert not page.all("b") and "&lt;b&gt;shirt&lt;/b&gt;" in text
    assert str(tmp_path) not in text


def test_the_preview_is_shown_where_there_is_one(tmp_path: Path, packed: Path) -> None:
    content = b"\x89PNG of a grid"
    (tmp_path / "preview").mkdir()
    (tmp_path / "preview" / "preview.png").write_bytes(content)
    ctx = skint.Context.for_test(
        tmp_path / "errors",
        inputs={"train": mistaken(tmp_path), "preview": tmp_path / "preview", "packed": packed},
    )
    errors(Params(), ctx)
    page = Page((ctx.out / "report.html").read_text(encoding="utf-8"))
    shown = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    assert shown in [picture["src"] for picture in page.all("img")]


def test_learning_curves_are_drawings_with_a_line_for_each_fold(
    tmp_path: Path, packed: Path
) -> None:
    ctx = reported(tmp_path, packed, mistaken(tmp_path))
    text = (ctx.out / "report.html").read_text(encoding="utf-8")
    drawings = [
        ElementTree.fromstring("<svg" + part.split("</svg>")[0] + "</svg>")
        for part in text.split("<svg")[1:]
    ]
    assert len(drawings) == 2  # train_loss and val_loss
    for drawing, points in zip(drawings, (3, 2), strict=True):  # an epoch of val_loss is NaN
        lines = drawing.findall("polyline")
        assert [len(line.attrib["points"].split()) for line in lines] == [points] * FOLDS
        assert drawing.attrib["aria-label"]


def test_the_same_predictions_give_the_same_bytes(tmp_path: Path, packed: Path) -> None:
    folds = mistaken(tmp_path)
    one, two = (reported(tmp_path / name, packed, folds) for name in "ab")
    for name in ("report.html", "errors.json"):
        assert (one.out / name).read_bytes() == (two.out / name).read_bytes()


def test_a_fold_that_was_not_trained_is_told(tmp_path: Path, packed: Path) -> None:
    folds = mistaken(tmp_path)
    (folds[0] / "predictions.npz").unlink()
    ctx = reported(tmp_path, packed, folds)
    facts = json.loads((ctx.out / "errors.json").read_text())
    assert (facts["n"], facts["of"]) == (20, 30)
    assert [fold["fold"] for fold in facts["folds"]] == [1, 2]
    assert "20 of 30 pictures were predicted" in ctx.attempt.events.read_text()
    assert "some folds are missing" in (ctx.out / "report.html").read_text(encoding="utf-8")


def test_no_mistakes_is_a_report_too(tmp_path: Path, packed: Path) -> None:
    ids = np.arange(30)
    ctx = reported(tmp_path, packed, (trained(tmp_path / "t", ids, ids % 3, np.full(30, 0.8)),))
    assert json.loads((ctx.out / "errors.json").read_text())["most_confused"] == []
    Page((ctx.out / "report.html").read_text(encoding="utf-8"))


def test_a_picture_predicted_twice_is_an_error(tmp_path: Path, packed: Path) -> None:
    ids = np.arange(10)
    folds = tuple(trained(tmp_path / f"t{n}", ids, ids % 3, np.full(10, 0.8)) for n in (0, 1))
    with pytest.raises(PredictionsError, match="two folds"):
        reported(tmp_path, packed, folds)


def repeated(tmp_path: Path, packed: Path) -> tuple[Path, ...]:
    """Two repeats of two folds; model 3 alone takes picture 29 for a hat."""
    halves = [np.arange(30) < 15, np.arange(30) % 2 == 0]
    parts = [np.flatnonzero(half == way) for half in halves for way in (True, False)]
    write_rows(
        packed / "folds.csv",
        ("id", "fold"),
        [(row, fold) for fold, rows in enumerate(parts) for row in rows],
    )
    folders = []
    for fold, ids in enumerate(parts):
        predicted = np.where((ids == 29) & (fold == 3), 0, ids % 3)
        folders.append(trained(tmp_path / f"t{fold}", ids, predicted, np.full(len(ids), 0.9)))
    return tuple(folders)


def test_a_repeated_split_predicts_each_picture_once_a_repeat(tmp_path: Path, packed: Path) -> None:
    ctx = reported(tmp_path, packed, repeated(tmp_path, packed))
    facts = json.loads((ctx.out / "errors.json").read_text())
    assert (facts["n"], facts["of"], facts["pictures"]) == (60, 60, 30)
    assert [fold["n"] for fold in facts["folds"]] == [15, 15, 15, 15]
    assert [(m["id"], m["fold"]) for m in facts["costliest"]] == [(29, 3)]
    text = (ctx.out / "report.html").read_text(encoding="utf-8")
    assert "1 of 60 predictions are wrong" in text and "some folds are missing" not in text


def test_a_prediction_by_a_fold_that_trained_on_the_picture_is_an_error(
    tmp_path: Path, packed: Path
) -> None:
    folders = repeated(tmp_path, packed)
    swapped = (folders[1], folders[0], *folders[2:])
    with pytest.raises(PredictionsError, match="two folds"):
        reported(tmp_path, packed, swapped)


def test_a_hold_out_misses_no_fold(tmp_path: Path, packed: Path) -> None:
    ids = np.arange(6)
    cells = [0 if row < 6 else "train" if row < 25 else "test" for row in range(30)]
    write_rows(packed / "folds.csv", ("id", "fold"), enumerate(cells))
    ctx = reported(tmp_path, packed, (trained(tmp_path / "t", ids, ids % 3, np.full(6, 0.8)),))
    facts = json.loads((ctx.out / "errors.json").read_text())
    assert (facts["n"], facts["of"]) == (6, 6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": np.array(["hat", "shoes", "t-shirt"])}, "other classes"),
        ({"target": np.full(30, 1)}, "another packed set"),
        ({"ids": np.arange(30) + 5}, "another packed set"),
        ({"probabilities": np.full((30, 3), np.nan)}, "not finite"),
        ({"probabilities": np.zeros((30, 2))}, "do not fit each other"),
        ({"ids": np.array([None])}, "cannot be read"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    tmp_path: Path, packed: Path, change: dict[str, np.ndarray], words: str
) -> None:
    ids = np.arange(30)
    folder = trained(tmp_path / "t", ids, ids % 3, np.full(30, 0.8))
    with np.load(folder / "predictions.npz") as arrays:
        changed = {**arrays, **change}
    np.savez(folder / "predictions.npz", **changed)
    with pytest.raises(PredictionsError, match=words) as error:
        reported(tmp_path, packed, (folder,))
    assert error.value.where == str(folder / "predictions.npz")
