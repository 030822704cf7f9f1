"""The rehearsal: what it writes when all is well, and what it says when it is not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from tests.jobs.several_set import several_set
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

NET = "tests.jobs.training.small_net"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"))


def rehearse(folder: Path, packed: Path, **fields: Any) -> skint.Context:
    ctx = context(folder, packed, smoke=True, fold=None, folds=None)
    train(CheckedRecipe(**{"model": f"{NET}:Net", **fields}), ctx)
    return ctx


def rehearsed(ctx: skint.Context) -> list[dict[str, Any]]:
    result: dict[str, Any] = json.loads((ctx.out / "smoke.json").read_text())
    stages: list[dict[str, Any]] = result["stages"]
    return stages


def notes(ctx: skint.Context) -> str:
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    return "\n".join(line["text"] for line in lines if line["kind"] == "note")


def test_it_measures_a_step_and_keeps_no_checkpoint(tmp_path: Path, packed: Path) -> None:
    ctx = rehearse(tmp_path, packed)
    files = {path.relative_to(ctx.out).as_posix() for path in ctx.out.rglob("*") if path.is_file()}
    assert files == {"smoke.json", "local/smoke.json"}
    result = json.loads((ctx.out / "smoke.json").read_text())
    parameters = 8 * 3 * 9 + 8 + 2 * 8 + 32 * 3 + 3
    assert (result["parameters"], result["outputs"]) == (parameters, 3)
    stage = {"name": "training", "input": [3, 16, 16], "trained_parameters": parameters}
    assert result["stages"] == [stage]
    measured = json.loads((ctx.out / "local" / "smoke.json").read_text())
    assert measured["batch"] == 6  # two of each class
    assert measured["step_ms"] > 0 and np.isfinite(measured["train_loss"])
    assert 0 <= measured["val_acc"] <= 1


def test_what_it_publishes_is_the_same_each_time(tmp_path: Path, packed: Path) -> None:
    first, second = (rehearse(tmp_path / name, packed) for name in "ab")
    assert (first.out / "smoke.json").read_bytes() == (second.out / "smoke.json").read_bytes()


def test_only_the_last_layer_counts_as_trained_when_the_backbone_is_frozen(
    tmp_path: Path, packed: Path
) -> None:
    ctx = rehearse(tmp_path, packed, freeze="backbone")
    [stage] = rehearsed(ctx)
    assert stage["trained_parameters"] == 32 * 3 + 3


def test_every_stage_takes_a_step(tmp_path: Path) -> None:
    ladder = small_set(tmp_path / "ladder", sizes=(8, 16))
    stages = [
        {"name": "head", "epochs": 1, "size": 8, "freeze": "backbone"},
        {"epochs": 2, "size": 16, "mixup": 0.2},
    ]
    ctx = rehearse(tmp_path / "a", ladder, stages=stages, ema=0.9)
    head, whole = rehearsed(ctx)
    assert (head["name"], head["input"]) == ("head", [3, 8, 8])
    assert (whole["name"], whole["input"]) == ("16px", [3, 16, 16])
    assert head["trained_parameters"] == 32 * 3 + 3 < whole["trained_parameters"]
    assert "stage head: 1 epoch" in notes(ctx)


def test_the_stage_that_would_fail_is_named(tmp_path: Path) -> None:
    ladder = small_set(tmp_path / "ladder", sizes=(8, 16))
    stages = [{"epochs": 1, "size": 16}, {"name": "small", "epochs": 1, "size": 8}]
    with pytest.raises(skint.SkintError, match="does not fit the targets") as caught:
        rehearse(tmp_path / "a", ladder, model=f"{NET}:OnlyLarge", stages=stages)
    assert caught.value.where == "stage small"
    with pytest.raises(skint.SkintError, match="does not have this size"):
        rehearse(tmp_path / "b", ladder, stages=[{"epochs": 1, "size": 32}])


def test_pictures_that_are_not_what_the_weights_expect_are_remarked_on(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    dark = small_set(tmp_path / "dark", size=32)
    import timm

    weights = tmp_path / "r.pth"
    torch.save(timm.create_model("resnet10t", num_classes=3).state_dict(), weights)
    plain = rehearse(tmp_path / "a", dark, model="resnet10t", weights=str(weights))
    assert "the weights expect" not in notes(plain)
    deep = small_set(tmp_path / "deep", size=32, dtype="uint16")
    ctx = rehearse(tmp_path / "b", deep, model="resnet10t", weights=str(weights))
    assert "the weights were trained on pictures of 8 bits; these are uint16" in notes(ctx)


def test_a_disk_without_room_for_checkpoints_is_found(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: full)
    with pytest.raises(skint.SkintError, match="no room for the checkpoints"):
        rehearse(tmp_path, packed)


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed"])
def test_half_precision_is_rehearsed_too(tmp_path: Path, packed: Path, precision: str) -> None:
    assert (rehearse(tmp_path, packed, precision=precision).out / "smoke.json").exists()


def test_a_model_of_timm_takes_any_number_of_bands(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    bands = small_set(tmp_path / "bands", channels=13, dtype="uint16", size=32)
    ctx = rehearse(tmp_path / "a", bands, model="resnet10t")
    assert rehearsed(ctx)[0]["input"] == [13, 32, 32]


@pytest.mark.parametrize("targets", [(), ("tags",), ("shade",)])
def test_targets_of_every_kind_are_rehearsed(tmp_path: Path, targets: tuple[str, ...]) -> None:
    several = several_set(tmp_path / "several")
    ctx = rehearse(tmp_path / "a", several, targets=targets)
    outputs = {(): 6, ("tags",): 2, ("shade",): 1}[targets]
    assert json.loads((ctx.out / "smoke.json").read_text())["outputs"] == outputs
    with pytest.raises(skint.SkintError, match="no metric of this name is measured"):
        rehearse(tmp_path / "b", several, targets=targets, monitor="val_kappa.tags")
    with pytest.raises(skint.SkintError, match="no target called colours"):
        rehearse(tmp_path / "c", several, targets=["colours"])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": f"{NET}:WrongOutput"}, "output does not fit the targets"),
        ({"model": f"{NET}:Forgetful"}, "saved and read back give another output"),
        ({"model": f"{NET}:WrongUnits"}, "normalised pictures are not what a network can start"),
        ({"model": f"{NET}:Headless", "freeze": "backbone"}, "needs to know the last layer"),
        ({"model": f"{NET}:Nothing"}, "has no Nothing"),
        ({"model": "no_such_module:Net"}, "there is no module no_such_module"),
        ({"weights": "missing.pth"}, "no such file of weights"),
        ({"model": "efficientnet-lite0"}, "does not take these pictures"),  # 16 pixels
        ({"model": "vit_tiny_patch16_224"}, "does not take these pictures"),  # 224 alone
        ({"model": f"{NET}:Numb", "weight_decay": 0}, "changed no weight"),
    ],
)
def test_what_would_fail_later_fails_here_with_a_sentence(
    tmp_path: Path, packed: Path, fields: dict[str, Any], sentence: str
) -> None:
    if fields.get("model") == "efficientnet-lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
    with pytest.raises(skint.SkintError, match=sentence):
        rehearse(tmp_path, packed, **fields)
    assert not (tmp_path / "out" / "smoke.json").exists()


def test_weights_that_make_a_loss_of_nan_are_found(tmp_path: Path, packed: Path) -> None:
    from tests.jobs.training.small_net import Net

    state = Net(3, 3).state_dict()
    state["head.bias"][:] = torch.nan
    torch.save(state, tmp_path / "broken.pth")
    with pytest.raises(skint.SkintError, match="output is not finite"):
        rehearse(tmp_path / "a", packed, weights=str(tmp_path / "broken.pth"))


def test_a_class_beside_the_plan_is_found(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from tests.jobs.training.small_net import Net\nclass Mine(Net):\n    pass\n"
    (tmp_path / "net_beside_plan.py").write_text(source)
    monkeypatch.setattr("sys.path", ["."])
    assert rehearse(tmp_path, packed, model="net_beside_plan:Mine").base == tmp_path


def test_the_last_stage_may_have_a_smaller_size_than_the_set(tmp_path: Path) -> None:
    ladder = small_set(tmp_path / "ladder", sizes=(8, 12, 16))
    stages = [{"size": 12, "epochs": 1}, {"size": 8, "epochs": 1}]
    found = rehearsed(rehearse(tmp_path / "job", ladder, stages=stages))
    assert [stage["input"] for stage in found] == [[3, 12, 12], [3, 8, 8]]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compile": True}, r"no C\+\+ compiler"),
        ({"loggers": ["mlflow"]}, r"pip install 'skint\[mlflow\]'"),
    ],
)
def test_what_is_not_installed_here_is_told_first(
    tmp_path: Path,
    packed: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    said: str,
) -> None:
    from jobs.training.watching import loggers

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    with pytest.raises(skint.SkintError) as caught:
        rehearse(tmp_path / "job", packed, **fields)
    assert re.search(said, str(caught.value) + str(caught.value.next))
