from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import skint
from jobs.subset import Params, SubsetError, subset
from skint.dataset import PackedSet, PackedWriter, Sample, Target

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
