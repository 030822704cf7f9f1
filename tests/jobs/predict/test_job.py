"""Folds that were published predict tiny pictures, on the CPU, in this process."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skint
from jobs.better.job import Params as BetterParams
from jobs.better.job import better
from jobs.predict.job import predict
from jobs.predict.params import Params
from skint.attempt import StopRequest
from skint.dataset import PackedSet, PackedWriter, Sample, Target
from skint.table import write_rows
from tests.jobs.small_set import small_set

pytestmark = pytest.mark.torch
Run = Callable[..., skint.Context]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the folds were trained on."""
    return small_set(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory, packed: Path) -> tuple[Path, ...]:
    pytest.importorskip("torch")
    from tests.jobs.predict.trained import folds_of

    return folds_of(tmp_path_factory.mktemp("train"), packed)


def unseen(folder: Path, *, count: int = 20, size: int = 16, **options: Any) -> Path:
    """Pictures without a label."""
    chosen = {"dtype": "uint8", "channels": ("C0", "C1", "C2"), **options}
    channels: Any = chosen["channels"]
    pixels = np.random.default_rng(3).integers(0, 256, (count, size, size, len(channels)))
    with PackedWriter(folder, shape=pixels.shape, dtype=str(chosen["dtype"])) as writer:
        writer.images()[:] = pixels.astype(str(chosen["dtype"]))
        samples = [Sample(n, f"p{n}", f"p{n}.png") for n in range(count)]
        writer.finish(samples, [], channels=channels, made_by={"job": "test"})
    return folder


@pytest.fixture(scope="module")
def test_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unseen(tmp_path_factory.mktemp("test"))


@pytest.fixture
def run(tmp_path: Path, packed: Path, folds: tuple[Path, ...], test_set: Path) -> Run:
    def run(
        name: str, data: Any = test_set, options: Any = None, inputs: Any = None, **fields: Any
    ) -> skint.Context:
        given = inputs or {"train": folds, "test": data, "folds": packed, "packed": packed}
        ctx = skint.Context.for_test(tmp_path / name, inputs=given, **(options or {}))
        predict(Params(**{"batch_size": 7, **fields}), ctx)
        return ctx

    return run


def predictions(ctx: skint.Context) -> dict[str, Any]:
    with np.load(ctx.out / "predictions.npz") as arrays:
        return dict(arrays)


def notes(ctx: skint.Context) -> str:
    if not ctx.attempt.events.exists():
        return ""
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    return "\n".join(line["text"] for line in lines if line["kind"] == "note")


def facts(ctx: skint.Context) -> Any:
    return json.loads((ctx.out / "predict.json").read_text())


def by_hand(fold: Path, data: Path, change: Any = None) -> Any:
    """Probabilities of one fold, of all pictures at once."""
    import torch

    from jobs.training.results.published import read_published

    packed = PackedSet.open(data)
    images = torch.from_numpy(packed.images().take(np.arange(len(packed)))).permute(0, 3, 1, 2)
    one = read_published(fold)
    pixels = one.normalise()(images)
    with torch.no_grad():
        outputs = one.bare(data).module(pixels if change is None else change(pixels))
    return outputs.softmax(dim=1).numpy()


def test_the_folds_answer_together(run: Run, folds: tuple[Path, ...], test_set: Path) -> None:
    ctx = run("a")
    found = predictions(ctx)
    wanted = np.mean([by_hand(fold, test_set) for fold in folds], axis=0)
    assert np.allclose(found["probabilities"], wanted, atol=1e-6)
    assert found["ids"].tolist() == list(range(20))
    assert found["target"].tolist() == [-1] * 20
    assert found["classes"].tolist() == ["blue", "green", "red"]
    lines = list(csv.DictReader((ctx.out / "predictions.csv").open()))
    assert [line["name"] for line in lines] == [f"p{n}" for n in range(20)]
    assert [line["label"] for line in lines] == [
        found["classes"][number] for number in wanted.argmax(axis=1)
    ]
    reds = np.array([line["label: red"] for line in lines], dtype=np.float32)
    assert np.array_equal(reds, found["probabilities"][:, 2])
    assert facts(ctx)["folds"] == [0, 1, 2] and facts(ctx)["scores"] == {}
    assert not (ctx.out / "submission.csv").exists()


def test_the_same_again_is_the_same_bytes(run: Run) -> None:
    one, other = run("a", tta="flip"), run("b", tta="flip")
    for name in ("predictions.csv", "predictions.npz", "predict.json"):
        assert (one.out / name).read_bytes() == (other.out / name).read_bytes()
    assert {path.name for path in one.out.iterdir()} == {
        "predictions.csv", "predictions.npz", "predict.json", "local"
    }  # fmt: skip


def test_a_mirrored_view_counts_as_much_as_the_picture(
    run: Run, folds: tuple[Path, ...], test_set: Path
) -> None:
    plain = np.mean([by_hand(fold, test_set) for fold in folds], axis=0)
    mirrored = np.mean([by_hand(fold, test_set, lambda x: x.flip(3)) for fold in folds], axis=0)
    half = predictions(run("a", tta="flip"))["probabilities"]
    assert np.allclose(half, (plain + mirrored) / 2, atol=1e-6)
    whole = predictions(run("b", tta="flip", beta=0))["probabilities"]
    assert np.allclose(whole, mirrored, atol=1e-6)
    assert not np.allclose(plain, mirrored, atol=1e-4)


def test_crops_weigh_three_quarters(run: Run, folds: tuple[Path, ...], test_set: Path) -> None:
    from torch.nn.functional import interpolate

    def corner(x: Any) -> Any:
        return interpolate(x[:, :, :14, :14], (16, 16), mode="bilinear", align_corners=False)

    plain = np.mean([by_hand(fold, test_set) for fold in folds], axis=0)
    cropped = np.mean([by_hand(fold, test_set, corner) for fold in folds], axis=0)
    found = predictions(run("a", tta="crops", views=1))["probabilities"]
    assert np.allclose(found, 0.25 * plain + 0.75 * cropped, atol=1e-6)
    assert facts(run("b", tta="crops", views=8))["passes"] == 9


def test_the_gain_is_measured_on_what_each_fold_has_not_seen(
    run: Run, folds: tuple[Path, ...], packed: Path
) -> None:
    ctx = run("a", tta="flip")
    gain = facts(ctx)["gain"]
    held_out = np.arange(36) // 3 % 3
    plain = np.empty((36, 3))
    views = np.empty((36, 3))
    for number, fold in enumerate(folds):
        rows = held_out == number
        plain[rows] = by_hand(fold, packed)[rows]
        views[rows] = (plain[rows] + by_hand(fold, packed, lambda x: x.flip(3))[rows]) / 2
    truth = np.arange(36) % 3
    assert gain["plain"] == pytest.approx((plain.argmax(axis=1) == truth).mean())
    assert gain["augmented"] == pytest.approx((views.argmax(axis=1) == truth).mean())
    assert gain["pictures"] == 36 and gain["metric"] == "val_acc"
    assert "on 36 held-out pictures" in notes(ctx)

    assert facts(run("b", tta="flip", measure=6))["gain"]["pictures"] == 6
    assert facts(run("c", tta="flip", measure=0))["gain"] is None
    assert facts(run("d"))["gain"] is None


def test_mirroring_what_never_was_mirrored_is_doubted(
    run: Run, tmp_path: Path, packed: Path, test_set: Path
) -> None:
    from tests.jobs.predict.trained import published

    fold = published(tmp_path / "fold", packed, fold=0, augment="none")
    ctx = run("a", inputs={"train": (fold,), "test": test_set}, tta="flip")
    assert "mirrored no picture" in notes(ctx)
    assert facts(ctx)["gain"] is None  # the training set is not there


def test_of_the_trainings_own_set_only_what_no_fold_knows_is_predicted(
    run: Run, folds: tuple[Path, ...], packed: Path, tmp_path: Path
) -> None:
    inputs = {"train": folds, "folds": packed, "packed": packed}
    with pytest.raises(skint.SkintError, match="the one that these networks were trained on"):
        run("a", inputs=inputs)
    parts = tmp_path / "parts"
    parts.mkdir()
    cells = ["test" if row in (4, 9) else row // 3 % 3 for row in range(36)]
    write_rows(parts / "folds.csv", ("id", "fold"), enumerate(cells))
    ctx = run("b", inputs={"train": folds, "folds": parts, "packed": packed})
    assert predictions(ctx)["ids"].tolist() == [4, 9]
    assert predictions(ctx)["target"].tolist() == [1, 0]
    assert facts(ctx)["scores"]["label"]["n"] == 2
    assert "2 pictures of the training's own set" in notes(ctx)


class StopAt(skint.Context):
    """Asks for a stop once so many pictures are done."""

    rows: int = 0

    def progress(self, done: int, total: int) -> None:
        if done >= self.rows:
            self.attempt.request_stop(StopRequest("step", "requeue", "edge"))


def test_what_is_done_before_a_stop_is_not_done_again(
    run: Run, tmp_path: Path, folds: tuple[Path, ...], test_set: Path
) -> None:
    whole = run("whole")
    inputs: dict[str, Any] = {"train": folds, "test": test_set}
    ctx = skint.Context.for_test(tmp_path / "first", inputs=inputs)
    stopping = StopAt(ctx.attempt, ctx.task)
    stopping.rows = 14
    with pytest.raises(skint.StopRequested):
        predict(Params(batch_size=7), stopping)
    assert not (ctx.out / "predictions.npz").exists()
    second = run("second", options={"previous": ctx.out})
    assert "goes on after 14 of 20 pictures" in notes(second)
    assert (second.out / "predictions.npz").read_bytes() == (
        whole.out / "predictions.npz"
    ).read_bytes()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"size": 32}, "pictures of this size\n.*32 × 32 px\n.*16 × 16 px"),
        ({"channels": ("B1", "B2", "B3")}, "do not know these channels\n.*B1, B2, B3\n.*C0, C1"),
        ({"channels": ("C0",)}, "do not know these channels"),
        ({"dtype": "uint16"}, "pictures of this dtype\n.*uint16\n.*uint8"),
    ],
)
def test_pictures_of_another_kind_are_refused(
    run: Run, tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(skint.SkintError, match=complaint):
        run("a", unseen(tmp_path / "other", **options))


def test_a_set_that_the_networks_cannot_take_is_passed_over_for_one_that_they_can(
    run: Run, tmp_path: Path, folds: tuple[Path, ...], packed: Path, test_set: Path
) -> None:
    """As where a `better` may keep a head on features, or a network on pictures."""
    large = unseen(tmp_path / "large", size=32)
    training: dict[str, Any] = {"folds": packed, "packed": packed}
    ctx = run("a", inputs={"train": folds, "large": large, "test": test_set, **training})
    assert np.array_equal(predictions(ctx)["probabilities"], predictions(run("b"))["probabilities"])
    # What the training set was made of is never meant, though it fits.
    superset = small_set(tmp_path / "superset", per_class=13)
    with pytest.raises(skint.SkintError, match="pictures of this size"):
        run("c", inputs={"train": folds, "large": large, **training, "superset": superset})


def test_the_right_rung_of_a_ladder_is_taken(run: Run, tmp_path: Path, test_set: Path) -> None:
    ladder = unseen(tmp_path / "ladder", size=32)
    shutil.copytree(test_set, ladder / "sizes" / "16")
    meta = json.loads((ladder / "dataset.json").read_text())
    (ladder / "dataset.json").write_text(json.dumps({**meta, "sizes": [16, 32]}))
    found = predictions(run("a", ladder))
    assert np.array_equal(found["probabilities"], predictions(run("b"))["probabilities"])


def test_kept_sizes_are_refused(run: Run, tmp_path: Path, test_set: Path) -> None:
    shutil.copytree(test_set, tmp_path / "kept")
    meta = json.loads((tmp_path / "kept" / "dataset.json").read_text())
    meta.update(shape=[20, 0, 0, 3], layout="ragged")
    (tmp_path / "kept" / "dataset.json").write_text(json.dumps(meta))
    with pytest.raises(skint.SkintError, match="different sizes do not fit into a batch"):
        run("a", tmp_path / "kept")


def test_a_choice_stands_for_what_was_kept(
    run: Run, tmp_path: Path, folds: tuple[Path, ...], packed: Path, test_set: Path
) -> None:
    other = tuple(tmp_path / "other" / fold.name for fold in folds)
    for fold, copy in zip(folds, other, strict=True):
        shutil.copytree(fold, copy)
        (copy / "checkpoints" / "best.ckpt").unlink()  # it is not what is read
        for folder, value in ((fold, 0.75), (copy, 0.5)):
            result = {"metric": "val_acc", "score": value, "n": 12}
            (folder / "result.json").write_text(json.dumps(result))
    inputs: dict[str, Any] = {"other": other, "train": folds, "packed": packed}
    chosen = skint.Context.for_test(tmp_path / "choice", inputs=inputs)
    better(BetterParams(), chosen)
    ctx = run("a", inputs={"choice": chosen.out, "test": test_set, **inputs})
    assert np.array_equal(predictions(ctx)["probabilities"], predictions(run("b"))["probabilities"])


def test_a_submission_is_written_in_the_order_of_the_sample(run: Run, tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("name,label\n" + "".join(f"p{n},red\n" for n in reversed(range(19))))
    ctx = run("a", submission=sample)
    found = predictions(ctx)
    lines = (ctx.out / "submission.csv").read_text().splitlines()
    numbers = found["probabilities"].argmax(axis=1)
    assert lines == ["name,label"] + [
        f"p{n},{found['classes'][numbers[n]]}" for n in reversed(range(19))
    ]
    assert "19 ids; name of the class" in notes(ctx)
    assert "1 pictures are not asked for" in notes(ctx)


def test_a_wrong_submission_is_found_before_anything_is_computed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("name,label\nq1,red\n")
    with pytest.raises(skint.SkintError, match="1 of 1 ids of the sample submission have no pictu"):
        run("a", submission=tmp_path / "sample.csv")
    assert not (tmp_path / "a" / "out" / "local").exists()


def test_several_targets_of_all_kinds_are_predicted(
    run: Run, tmp_path: Path, packed: Path, test_set: Path
) -> None:
    import torch

    from jobs.training.results.published import LearntTarget
    from tests.jobs.predict.trained import LABEL, published

    things = LearntTarget("things", "multilabel", ("car", "tree"))
    year = LearntTarget("year", "value", mean=1_900_000.0, std=0.5)
    fold = published(tmp_path / "fold", packed, fold=0, targets=(LABEL, things, year))
    ctx = run("a", inputs={"train": (fold,), "test": test_set}, threshold=0.3)
    found = predictions(ctx)
    assert found["probabilities"].shape == (20, 3) and found["year.values"].dtype == np.float64
    assert np.isnan(found["year.target"]).all()
    state = torch.load(fold / "checkpoints" / "best.ckpt")["state_dict"]
    assert state["head.weight"].shape == (6, 32)
    lines = list(csv.DictReader((ctx.out / "predictions.csv").open()))
    for row, line in enumerate(lines):
        labels = [n for n in ("car", "tree") if float(line[f"things: {n}"]) >= 0.3]
        assert line["things"] == "|".join(labels)
        assert float(line["year"]) == pytest.approx(found["year.values"][row], abs=1e-4)
    assert len({line["year"] for line in lines}) > 10  # more digits than single precision has


def test_known_labels_are_judged_by_name(run: Run, tmp_path: Path, packed: Path) -> None:
    """A test set may number its classes otherwise, and have others."""
    source = PackedSet.open(packed)
    names = ("red", "violet", "blue", "green")
    with PackedWriter(tmp_path / "known", shape=source.meta.shape, dtype="uint8") as writer:
        writer.images()[:] = source.images().take(np.arange(36))
        samples = [
            Sample(n, f"{n}", f"{n}.png", targets={"label": "violet" if n < 3 else one.label})
            for n, one in enumerate(source.samples)
        ]
        target = Target("label", "class", names)
        writer.finish(samples, [target], channels=source.meta.channels, made_by={"job": "test"})
    ctx = run("a", tmp_path / "known")
    found = predictions(ctx)
    assert found["target"].tolist() == [-1] * 3 + [n % 3 for n in range(3, 36)]
    right = found["probabilities"].argmax(axis=1)[3:] == found["target"][3:]
    assert facts(ctx)["scores"]["label"] == {"n": 33, "val_acc": pytest.approx(right.mean())}


def test_a_class_beside_the_plan_is_found(
    run: Run, tmp_path: Path, packed: Path, test_set: Path
) -> None:
    from tests.jobs.predict.trained import published

    net = "from tests.jobs.training.small_net import Net\n\nclass Own(Net):\n    pass\n"
    (packed.parent / "own_net_to_predict.py").write_text(net)
    fold = published(tmp_path / "fold", packed, fold=0, model="own_net_to_predict:Own")
    (tmp_path / "own_net_to_predict.py").write_text(net)
    ctx = run("a", inputs={"train": (fold,), "test": test_set}, options={"base": tmp_path})
    assert predictions(ctx)["probabilities"].shape == (20, 3)


def test_pictures_that_each_fold_has_made_for_itself(
    run: Run, tmp_path: Path, folds: tuple[Path, ...], test_set: Path
) -> None:
    sets = [test_set, unseen(tmp_path / "b"), unseen(tmp_path / "c")]
    images = np.load(sets[2] / "images.npy", mmap_mode="r+")
    images[:] = 255 - images
    images.flush()
    ctx = run("a", inputs={"train": folds, "test": tuple(sets)})
    wanted = np.mean([by_hand(*pair) for pair in zip(folds, sets, strict=True)], axis=0)
    assert np.allclose(predictions(ctx)["probabilities"], wanted, atol=1e-6)
    with pytest.raises(skint.SkintError, match="2 packed sets, 3 networks"):
        run("b", inputs={"train": folds, "test": tuple(sets[:2])})
