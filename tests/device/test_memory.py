"""A batch that really does not fit."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.probe.job import probe
from jobs.probe.params import Params
from tests.device import nets
from tests.device.folds import result, said, trained
from tests.device.given import Given
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.device

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
ROOM_MIB = 400
"""Six pictures of `Hungry`; a batch has eight."""


@contextmanager
def little_room(given: Given) -> Iterator[None]:
    """So much memory beside what is taken already."""
    if not given.is_real:
        nets.FIT_ON_CPU[:] = [ROOM_MIB // nets.BALLAST_MIB]
        yield
        nets.FIT_ON_CPU.clear()
        return
    gc.collect()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(
        (torch.cuda.memory_reserved() + ROOM_MIB * MIB) / total
    )
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_training_goes_on_in_halves_with_the_same_result(
    given: Given,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr("torch.backends.cudnn.allow_tf32", False)
    packed = small_set(tmp_path / "packed")
    fields: dict[str, Any] = {
        "model": "tests.device.nets:Hungry",
        "epochs": 2,
        "precision": "32",
        "optimizer": "sgd",
        "lr": 0.01,
    }
    roomy = trained(tmp_path / "roomy", packed, given, fields)
    assert "out of memory" not in said(roomy)
    with little_room(given):
        tight = trained(tmp_path / "tight", packed, given, fields)
    notes = [line for line in said(tight).splitlines() if "out of memory" in line]
    for note in notes:
        record_property("said", note)
    assert any("8 pictures at once" in note and "parts of 4" in note for note in notes)
    assert any("a validation" in note for note in notes)
    one, other = (
        torch.load(ctx.out / "checkpoints/best.ckpt", weights_only=True, map_location="cpu")
        for ctx in (roomy, tight)
    )
    one, other = one["state_dict"], other["state_dict"]
    assert one.keys() == other.keys()
    apart = max(float((one[name] - other[name]).abs().max()) for name in one)
    record_property("weights differ by at most", f"{apart:.1e}")
    assert apart < 1e-4
    assert result(roomy)["score"] == pytest.approx(result(tight)["score"], abs=0.1)


def test_the_probe_finds_a_largest_batch_and_survives(
    given: Given, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    if given.is_real:  # another process is to have it
        gc.collect()
        torch.cuda.empty_cache()
    packed = small_set(tmp_path / "packed")
    # In the process that measures, the tests are not on the path: their folder is the plan's.
    ctx = context(tmp_path / "attempt", packed, base=ROOT, devices=given.one)
    params = Params(
        model="tests.device.nets:Glutton", batch_size=4, look=("batch",), largest_batch=64, steps=2
    )
    probe(params, ctx)
    found = json.loads((ctx.out / "probe.json").read_text())
    batches = [row["batch"] for row in found["batches"]]
    record_property("batches that fit", batches)
    record_property("device", found["device"])
    # A tenth of the memory is left free, and other programs may have some.
    assert 2 <= max(batches) < nets.SHARE
