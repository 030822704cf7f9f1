"""What the device computes in, and how fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.probe.requests import Request
from jobs.probe.steps import time_steps
from jobs.training.network.compiling import what_is_missing
from jobs.training.recipe.recipe import Recipe
from tests.device.folds import NET, result, trained
from tests.device.given import Given
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.device

Note = Callable[[str, object], None]
SIZE_PX = 64


@contextmanager
def kernels_that_repeat(wanted: bool) -> Iterator[None]:
    """As the Trainer is told to, or not."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=True)


def test_it_trains_in_the_precision_that_it_has_and_learns(
    given: Given, tmp_path: Path, record_property: Note
) -> None:
    packed = small_set(tmp_path / "packed", per_class=40)
    ctx = trained(tmp_path / "fold", packed, given, {"epochs": 8, "lr": 0.02})
    found = result(ctx)
    precision = json.loads((ctx.out / "training.json").read_text())["precision"]
    record_property("precision", precision)
    record_property("score", f"{found['metric']} {found['score']:.3f} of {found['n']} pictures")
    if not given.is_real:
        assert precision == "32-true"
    elif torch.version.hip is None:
        ampere = torch.cuda.get_device_capability() >= (8, 0)
        assert precision == ("bf16-mixed" if ampere else "16-mixed")
    chance = 1 / 3
    error = (chance * (1 - chance) / found["n"]) ** 0.5
    assert found["metric"] == "val_acc"
    assert found["score"] > chance + 3 * error


def test_it_trains_in_each_precision(given: Given, tmp_path: Path, record_property: Note) -> None:
    packed = small_set(tmp_path / "packed", per_class=40)
    for precision in ("32", "16-mixed", "bf16-mixed"):
        fields = {"epochs": 4, "lr": 0.02, "precision": precision}
        found = result(trained(tmp_path / precision, packed, given, fields))
        record_property(precision, f"{found['metric']} {found['score']:.3f}")
        assert found["score"] > 1 / 3


def test_a_step_takes_so_long(given: Given, tmp_path: Path, record_property: Note) -> None:
    packed = small_set(tmp_path / "packed", size=SIZE_PX)
    ctx = context(tmp_path / "attempt", packed, devices=given.one)
    # `train` asks for kernels that repeat themselves, which may be slower ones.
    settings: dict[str, tuple[bool, dict[str, Any]]] = {
        "32": (True, {"precision": "32"}),
        "auto": (True, {"precision": "auto"}),
        "auto, channels first": (True, {"precision": "auto", "channels_last": False}),
        "auto, any kernel": (False, {"precision": "auto"}),
    }
    for name, (repeats, fields) in settings.items():
        recipe = Recipe(model="resnet18", batch_size=given.batch, **fields)
        request = Request("steps", given.one, {}, given.batch, steps=given.steps)
        with kernels_that_repeat(repeats):
            found = time_steps(recipe, request, ctx)
        assert found["step_ms"] > 0
        text = f"{found['step_ms']:.2f} ms, {found['memory_mib']:.0f} MiB"
        record_property(f"resnet18, {SIZE_PX} px, batch {given.batch}, {name}", text)


def test_a_compiled_network_trains(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Note
) -> None:
    if (missing := what_is_missing(given.kind)) is not None:
        pytest.skip(f"no {missing}")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    packed = small_set(tmp_path / "packed")
    fields = {"model": NET, "epochs": 6, "lr": 0.02, "compile": True}
    try:
        found = result(trained(tmp_path / "fold", packed, given, fields))
    finally:
        torch._dynamo.reset()
    record_property("score", f"{found['metric']} {found['score']:.3f}")
    assert found["score"] > 1 / 3
    assert any((tmp_path / "inductor").rglob("*"))
