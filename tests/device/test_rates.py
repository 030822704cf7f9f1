"""Whether the loader keeps up with the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.probe.job import probe
from jobs.probe.params import Params
from tests.device.folds import said
from tests.device.given import Given
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.device


@pytest.mark.parametrize("augment", ["flip", "trivial"])
def test_pictures_a_second_of_the_loader_and_of_the_network(
    augment: str,
    given: Given,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    packed = small_set(tmp_path / "packed", per_class=2 * given.batch, size=given.size_px)
    ctx = context(tmp_path / "attempt", packed, devices=given.one, cpus=given.cpus)
    fields: dict[str, Any] = {"model": "resnet18", "batch_size": given.batch, "augment": augment}
    probe(Params(**fields, look=("loader",), steps=given.steps), ctx)
    found = json.loads((ctx.out / "probe.json").read_text())
    what = f"resnet18, {given.size_px} px, batch {given.batch}"
    record_property(f"{what}: network", f"{found['rate']:.0f} pictures/s")
    for workers, rate in found["loader"].items():
        record_property(f"loader, {augment}, {workers} processes", f"{rate:.0f} pictures/s")
    record_property("said", said(ctx).splitlines()[-1])
    assert found["rate"] > 0 and all(rate > 0 for rate in found["loader"].values())
