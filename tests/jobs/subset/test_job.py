from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import skint
from jobs.subset.choosing import affordable
from jobs.subset.job import Params, SubsetError, subset
from skint.attempt import StopRequest
from skint.dataset import DatasetError, PackedSet, PackedWriter, Sample, Target
from tests.jobs.small_set import small_set
from tests.jobs.table_set import table_set

LABELS = ["hat"] * 10 + ["pants"] * 6 + ["shoes"] * 3


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """19 pictures; every pixel of picture n is n."""
    folder = tmp_path / "whole"
    samples = [
        Sample(n, str(n), f"{n}.png", width=n, targets={"label": label})
        for n, label in enumerate(LABELS)
    ]
    with PackedWriter(folder, shape=(len(LABELS), 2, 2, 3), dtype="uint8") as writer:
        writer.images()[:] = np.arange(len(LABELS)).reshape(-1, 1, 1, 1)
        targets = [Target("label", "class", tuple(sorted(set(LABELS))))]
        writer.finish(samples, targets, channels="RGB", made_by={"job": "test"})
    return folder


def part(folder: Path, whole: Path, **params: object) -> PackedSet:
    ctx = skint.Context.for_test(folder, inputs={"packed": whole})
    subset(Params.model_validate(params), ctx)
    return PackedSet.open(ctx.out)


def test_so_many_of_each_class_with_their_own_pictures(tmp_path: Path, whole: Path) -> None:
    data = part(tmp_path, whole, per_class=4)
    assert Counter(s.label for s in data.samples) == {"hat": 4, "pants": 4, "shoes": 3}
    assert [s.id for s in data.samples] == list(range(11))
    for sample, image in zip(data.samples, data.images(), strict=True):
        assert (image == int(sample.path.removesuffix(".png"))).all()
    assert data.damaged_blocks() == ()


def test_a_share_of_each_class_and_never_none(tmp_path: Path, whole: Path) -> None:
    data = part(tmp_path, whole, share=0.1)
    assert Counter(s.label for s in data.samples) == {"hat": 1, "pants": 1, "shoes": 1}


def test_the_first_classes_or_classes_by_name(tmp_path: Path, whole: Path) -> None:
    assert part(tmp_path / "a", whole, classes=2).classes == ("hat", "pants")
    named = part(tmp_path / "b", whole, classes=["shoes", "hat"])
    assert named.classes == ("hat", "shoes")
    assert named.labels().tolist() == [0] * 10 + [1] * 3


def test_the_seed_decides_and_repeats(tmp_path: Path, whole: Path) -> None:
    drawn = [
        [s.path for s in part(tmp_path / str(n), whole, per_class=3, seed=seed).samples]
        for n, seed in enumerate((0, 0, 1))
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("classes", [1, ["hat"], ["hat", "scarf"]])
def test_classes_that_make_no_set_are_refused(tmp_path: Path, whole: Path, classes: object) -> None:
    with pytest.raises(SubsetError):
        part(tmp_path, whole, classes=classes)


@pytest.mark.parametrize("params", [{}, {"per_class": 2, "share": 0.5}, {"share": 0}])
def test_what_asks_for_nothing_or_twice_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)


def test_a_request_to_stop_leaves_no_part_behind(tmp_path: Path, whole: Path) -> None:
    ctx = skint.Context.for_test(tmp_path, inputs={"packed": whole})
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        subset(Params(per_class=2), ctx)
    assert list(ctx.out.iterdir()) == []


def test_a_set_without_classes_keeps_the_spread_of_its_values(tmp_path: Path) -> None:
    cells = [str(n) for n in range(100)]
    whole = table_set(tmp_path / "whole", {"price": cells}, [Target("price", "value")])
    data = part(tmp_path, whole.folder, share=0.2)
    assert len(data) == 20
    assert np.histogram(data.values(), bins=10, range=(0, 100))[0].tolist() == [2] * 10
    with pytest.raises(DatasetError, match="no target of the kind class"):
        part(tmp_path / "b", whole.folder, per_class=2)


def test_seconds_and_a_rate_choose_the_size(tmp_path: Path, whole: Path) -> None:
    data = part(tmp_path, whole, seconds=2, rate=5)
    assert Counter(s.label for s in data.samples) == {"hat": 5, "pants": 3, "shoes": 2}
    assert data.meta.made_by["size"] == 10
    assert not (data.folder / "local").exists()
    least = part(tmp_path / "b", whole, seconds=1, rate=1)
    assert Counter(s.label for s in least.samples) == {"hat": 2, "pants": 2, "shoes": 2}
    events = (tmp_path / "b" / "events.jsonl").read_text(encoding="utf-8")
    assert "two pictures of each class are more than the 1" in events


@pytest.mark.torch
def test_a_trial_of_the_recipe_chooses_the_size(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    whole = small_set(tmp_path / "whole", per_class=40)
    recipe = {"model": "tests.jobs.training.small_net:Net", "batch_size": 8}
    data = part(tmp_path, whole, seconds=0.02, recipe=recipe)
    measured = json.loads((data.folder / "local" / "trial.json").read_text())
    assert measured["rate"] > 0 and measured["train_s"] > 0 and measured["validation_s"] > 0
    size = data.meta.made_by["size"]
    assert size == affordable(0.02, measured["rate"])
    assert len(data) == min(120, max(6, size))
    published = (data.folder / "dataset.json").read_text()
    assert "train_s" not in published


@pytest.mark.parametrize(
    "params",
    [
        {"seconds": 10},
        {"seconds": 10, "rate": 5, "share": 0.5},
        {"seconds": 10, "rate": 5, "recipe": {}},
        {"classes": 2, "rate": 5},
        {"seconds": 10, "recipe": {"epoch": 3}},
        {"seconds": 10, "recipe": {"model": "net:Net", "cycle_len": 2}},
    ],
)
def test_seconds_need_one_rate(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)
