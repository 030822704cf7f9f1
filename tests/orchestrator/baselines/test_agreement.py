"""Two files of right and wrong pictures, compared."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from orchestrator.baselines.agreement import Agreement, agreement_of
from orchestrator.baselines.fold_view import CORRECT


def correct(path: Path, bits: list[bool], **changes: Any) -> str:
    """A file as trainings publish it."""
    padded = [int(bit) for bit in bits] + [0] * (-len(bits) % 8)
    octets = bytes(
        sum(bit << 7 - place for place, bit in enumerate(padded[start : start + 8]))
        for start in range(0, len(padded), 8)
    )
    content = {
        "version": 1,
        "metric": "val_acc",
        "items": len(bits),
        "pictures": "a91c",
        "right": base64.b64encode(octets).decode(),
    }
    path.write_text(json.dumps({**content, **changes}))
    return str(path)


@pytest.mark.parametrize("items", [1, 7, 8, 9, 100])
def test_pictures_are_counted_by_who_got_them_right(tmp_path: Path, items: int) -> None:
    rng = random.Random(items)
    ours, theirs = ([rng.random() < 0.7 for _ in range(items)] for _ in range(2))
    pairs = list(zip(ours, theirs, strict=True))

    found = agreement_of(correct(tmp_path / "a", ours), correct(tmp_path / "b", theirs))

    assert found == Agreement(
        "val_acc",
        items,
        both=pairs.count((True, True)),
        only_ours=pairs.count((True, False)),
        only_theirs=pairs.count((False, True)),
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"pictures": "77e0"}, "they were validated on other pictures, or the labels were changed"),
        ({"metric": "val_acc.b"}, "they count another target: val_acc here, val_acc.b there"),
        ({"version": 2}, "is not a file of right and wrong pictures"),
        ({"items": 99}, "is not a file of right and wrong pictures"),
        ({"right": "*"}, "is not a file of right and wrong pictures"),
        ({"items": "3"}, "is not a file of right and wrong pictures"),
    ],
)
def test_what_cannot_be_compared_says_why(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    ours = correct(tmp_path / "a", [True, False, True])
    theirs = correct(tmp_path / "b", [True, False, True], **change)

    found = agreement_of(ours, theirs)

    assert isinstance(found, str) and found.endswith(why)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    ours = correct(tmp_path / "a", [True])

    assert agreement_of(ours, str(tmp_path / "b")) == f"{tmp_path / 'b'} is not there"
    (tmp_path / "b").write_text("[]")
    assert isinstance(agreement_of(ours, str(tmp_path / "b")), str)


@pytest.mark.torch
def test_two_real_trainings_of_a_fold_are_compared_picture_by_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    import numpy as np

    from jobs.train.job import train
    from jobs.training.recipe.checked import CheckedRecipe
    from tests.jobs.small_set import context, small_set

    packed = small_set(tmp_path / "packed", per_class=9)
    outs = []
    for name, rate in (("good", 0.02), ("poor", 1e-6)):
        ctx = context(tmp_path / name, packed, devices=("simulated-0",))
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        net = "tests.jobs.training.small_net:Net"
        train(CheckedRecipe(model=net, batch_size=9, augment="none", lr=rate, epochs=3), ctx)
        outs.append(ctx.out)

    right = []
    for out in outs:
        with np.load(out / "predictions.npz") as saved:
            right.append(saved["probabilities"].argmax(axis=1) == saved["target"])
        result = json.loads((out / "result.json").read_text())
        assert result["score"] == right[-1].mean()
    found = agreement_of(*(str(out / CORRECT) for out in outs))

    good, poor = right
    assert found == Agreement(
        metric="val_acc",
        items=9,
        both=int((good & poor).sum()),
        only_ours=int((good & ~poor).sum()),
        only_theirs=int((poor & ~good).sum()),
    )
    assert found.only_ours > found.only_theirs
