"""Out-of-fold predictions of a whole training, and the readers of them."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("pytorch_lightning")

import numpy as np
import torch

import skint
from jobs.better.entrants import BetterError, read_entrants
from orchestrator.baselines.agreement import Agreement, agreement_of
from skint import StopRequested
from skint.dataset import PackedWriter, Sample, Target
from skint.outputs import hash_outputs
from tests.jobs.fit.conftest import Train

pytestmark = pytest.mark.torch

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "lightning.md"
ONE: dict[str, Any] = {
    "module": "points_task:Teller",
    "data": "points_task:Numbered",
    "epochs": 3,
    "monitor": "val_acc",
}


def arrays_of(folder: Path) -> dict[str, Any]:
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def result_of(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


def test_what_is_published_is_what_the_best_weights_say(train: Train) -> None:
    ctx = train("one", ONE)
    state = torch.load(ctx.out / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    points = importlib.import_module("points_task").Points(23, 99)
    hidden = (points.x @ state["encoder.0.weight"].T + state["encoder.0.bias"]).relu()
    wanted = (hidden @ state["head.weight"].T + state["head.bias"]).softmax(1)
    arrays = arrays_of(ctx.out)
    assert arrays["ids"].tolist() == list(range(100, 123))
    assert arrays["target"].tolist() == points.y.tolist()
    assert arrays["classes"].tolist() == ["0", "1"]
    assert arrays["probabilities"] == pytest.approx(wanted.numpy(), abs=1e-5)
    right = (arrays["probabilities"].argmax(1) == arrays["target"]).mean()
    assert result_of(ctx.out)["score"] == pytest.approx(right, abs=1e-5)


def test_a_stop_changes_nothing_of_them(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = hash_outputs(train("whole", ONE).out)
    assert "predictions.npz" in wanted
    for number, place in enumerate(["Teller validate 16", "Teller train 20"]):
        monkeypatch.setenv("STOP_AT", place)
        with pytest.raises(StopRequested):
            train(f"first{number}", ONE)
        monkeypatch.delenv("STOP_AT")
        first = skint.Context.for_test(tmp_path / f"first{number}")
        assert hash_outputs(train(f"second{number}", ONE, previous=first).out) == wanted, place


def test_predictions_that_are_no_numbers_do_not_lose_the_fold(train: Train) -> None:
    ctx = train("one", {**ONE, "module": "points_task:Breaking"})
    why = "some predictions are not finite (NaN or infinity) (15 of 23 samples)"
    result = result_of(ctx.out)
    assert result["no_predictions"] == why and result["score"] > 0
    assert (ctx.out / "checkpoints" / "best.ckpt").is_file()
    assert not (ctx.out / "predictions.npz").exists()
    assert not (ctx.out / "correct.json").exists()
    assert f"no out-of-fold predictions: {why}" in ctx.attempt.events.read_text()


def test_a_module_that_returns_nothing_is_asked_for_nothing_and_its_readers_say_so(
    train: Train,
) -> None:
    silent, telling = train("silent", {**ONE, "module": "points_task:Judge"}), train("told", ONE)
    assert not (silent.out / "predictions.npz").exists()
    assert "no out-of-fold" not in silent.attempt.events.read_text()
    ctx = skint.Context.for_test(
        silent.out.parents[1] / "better", inputs={"silent": silent.out, "told": telling.out}
    )
    with pytest.raises(BetterError) as caught:
        read_entrants(ctx, ())
    assert "told; silent: validation_step returns no ids" in str(caught.value)


def test_two_trainings_are_compared_picture_by_picture(train: Train) -> None:
    one, other = train("one", ONE), train("other", {**ONE, "module_args": {"lr": 0.0001}})
    right = [
        a["probabilities"].argmax(1) == a["target"] for a in map(arrays_of, (one.out, other.out))
    ]
    found = agreement_of(str(one.out / "correct.json"), str(other.out / "correct.json"))
    assert found == Agreement(
        "val_acc",
        23,
        both=int((right[0] & right[1]).sum()),
        only_ours=int((right[0] & ~right[1]).sum()),
        only_theirs=int((~right[0] & right[1]).sum()),
    )


def photos(folder: Path) -> dict[str, Path]:
    """12 pictures of two classes: red ones and blue ones; three folds."""
    classes = ("blue", "red")
    with PackedWriter(folder / "packed", shape=(12, 16, 16, 3), dtype="uint8") as writer:
        pixels = writer.images()
        for n in range(12):
            pixels[n] = (20, 20, 240) if n % 2 == 0 else (240, 20, 20)
        samples = [
            Sample(n, str(n), f"{n}.png", targets={"label": classes[n % 2]}) for n in range(12)
        ]
        targets = [Target("label", "class", classes)]
        writer.finish(samples, targets, channels="RGB", made_by={"job": "test"})
    (folder / "folds").mkdir()
    rows = "".join(f"{n},{n // 2 % 3}\n" for n in range(12))
    (folder / "folds" / "folds.csv").write_text(f"id,fold\n{rows}")
    return {"packed": folder / "packed", "folds": folder / "folds"}


def test_the_plan_of_the_guide_trains_its_folds_and_their_mistakes_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.errors.job import Params as ErrorsParams
    from jobs.errors.job import errors
    from jobs.fit.job import fit
    from jobs.fit.params import Params

    text = GUIDE.read_text("utf-8").partition("## Its folds compared")[2]
    plan, program = re.findall(r"```(?:yaml|python)\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "clothes.py").write_text(program)
    params = Params(**yaml.safe_load(plan)["jobs"]["fit"]["with"])
    inputs = photos(tmp_path)
    folds = []
    for fold in range(3):
        ctx = skint.Context.for_test(
            tmp_path / f"fit{fold}", base=tmp_path, inputs=inputs, fold=fold, folds=3
        )
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        fit(params, ctx)
        folds.append(ctx.out)
    ctx = skint.Context.for_test(tmp_path / "errors", inputs={"fit": tuple(folds), **inputs})
    errors(ErrorsParams(), ctx)
    facts = json.loads((ctx.out / "errors.json").read_text())
    scores = [result_of(folder)["score"] for folder in folds]
    assert (facts["n"], facts["of"], facts["classes"]) == (12, 12, ["blue", "red"])
    assert [fold["accuracy"] for fold in facts["folds"]] == pytest.approx(scores)
