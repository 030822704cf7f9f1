"""One training on two devices, which here are two processes on the CPU: real workers and shims."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("pytorch_lightning")

import numpy as np
import torch

from jobs.train.job import train
from jobs.training.fitting.others import DivisionError
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.results.said import FACTS
from skint.attempt import StopRequest
from skint.checkpoint import CHECKPOINT
from skint.outputs import hash_outputs
from tests.jobs.small_set import context, small_set
from tests.skint.conftest import Attempt, attempt  # noqa: F401  # a fixture

pytestmark = pytest.mark.torch

FIELDS: dict[str, Any] = {
    "model": "tests.jobs.training.small_net:Steady",
    "batch_size": 8,  # of 21: the last batch has 5, of which one process gets 3 and the other 2
    "augment": "light",
    "lr": 0.02,
    "ema": 0.8,
    "stages": [
        {"name": "head", "epochs": 1, "freeze": "backbone"},
        {"name": "all", "epochs": 3},
    ],
}
STEPS = 3
TWO = ("simulated-0", "simulated-1")

Make = Callable[..., Attempt]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"), per_class=11)


@pytest.fixture
def on_two(packed: Path, attempt: Make) -> Make:  # noqa: F811
    def make(**fields: Any) -> Attempt:
        common: dict[str, Any] = {
            "uses": "train",
            "params": FIELDS,
            "inputs": {"packed": (str(packed),)},
            "fold": 0,
            "folds": 3,
            "devices": TWO,
            "cpus": 2,
            "cwd": str(Path(__file__).parents[3]),
        }
        return attempt(**common, **fields)

    return make


def reported(one: Attempt) -> list[dict[str, Any]]:
    lines = [line["values"] for line in one.events("report")]
    leave = {"seconds", "in_step_s", *FACTS}  # each attempt says once what it is about
    return [{k: v for k, v in one.items() if k not in leave} for one in lines]


def published(folder: Path) -> dict[str, str]:
    hashes = hash_outputs(folder)
    return {name: digest for name, digest in hashes.items() if name != CHECKPOINT.as_posix()}


def numbers(metrics: Path) -> list[list[float]]:
    rows = metrics.read_text().split()[1:]
    return [[float(cell) for cell in row.split(",") if cell[0].isdigit()] for row in rows]


def test_two_devices_learn_what_one_does_and_park_without_loss(
    on_two: Make, packed: Path, tmp_path: Path
) -> None:
    whole = on_two()
    assert whole.run().reason == "done", whole.log()
    assert [line["name"] for line in whole.events("stage")] == ["head", "all"]
    assert [values["epoch"] for values in reported(whole)] == [1, 2, 3, 4, 4]
    assert json.loads((whole.directory.out / "training.json").read_text())["devices"] == 2

    alone = context(tmp_path / "alone", packed, devices=TWO[:1])
    train(CheckedRecipe(**FIELDS), alone)
    one, two = (np.load(out / "predictions.npz") for out in (alone.out, whole.directory.out))
    assert np.array_equal(one["ids"], two["ids"]) and len(set(one["ids"].tolist())) == 12
    assert np.allclose(one["probabilities"], two["probabilities"], atol=1e-4)
    lone, both = (numbers(out / "metrics.csv") for out in (alone.out, whole.directory.out))
    assert np.allclose(lone, both, atol=1e-4), (lone, both)

    first = on_two()
    first.start()
    first.wait_until(lambda: len(reported(first)) >= 2 or first.directory.exit.exists())
    first.directory.request_stop(StopRequest("step", "requeue", "parked"))
    assert first.end().reason == "stopped", first.log()
    *_, line = first.events("checkpoint")
    saved = torch.load(first.directory.out / CHECKPOINT, weights_only=False)
    assert saved["global_step"] == line["step"] and saved["skint"]["stage"] == 1

    second = on_two(previous=str(first.directory.out))
    assert second.run().reason == "done", second.log()
    assert reported(first) + reported(second) == reported(whole)
    assert published(second.directory.out) == published(whole.directory.out)


def test_a_process_that_is_killed_ends_the_attempt_once_and_says_which(on_two: Make) -> None:
    one = on_two()
    shim = one.start()
    one.wait_until(lambda: reported(one) or one.directory.exit.exists())
    family = psutil.Process(shim.pid).children(recursive=True)
    (other,) = (process for process in family if process.environ().get("LOCAL_RANK") == "1")
    other.send_signal(signal.SIGKILL)
    end = one.end()
    assert end.reason == "failed", one.log()
    (error,) = one.events("error")
    assert error["what"] == "process 1 of 2 was ended by SIGKILL"
    assert not psutil.wait_procs(family, timeout=300)[1]


def test_a_batch_that_has_no_equal_parts_is_refused_at_once(packed: Path, tmp_path: Path) -> None:
    three = context(tmp_path / "three", packed, devices=(*TWO, "simulated-2"))
    with pytest.raises(DivisionError, match="equal parts by 3 devices") as caught:
        train(CheckedRecipe(**FIELDS), three)
    assert caught.value.wanted == "a multiple of 3: 6 or 9"
    two = context(tmp_path / "two", packed, devices=TWO)
    with pytest.raises(DivisionError) as caught:
        train(CheckedRecipe(**FIELDS | {"batch_size": 2}), two)
    assert caught.value.wanted == "a multiple of 2: 4 or 6"
