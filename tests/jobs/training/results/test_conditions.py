from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning")
torch = pytest.importorskip("torch")

from jobs.training.data.fold import read_fold  # noqa: E402
from jobs.training.fitting.device import Engine  # noqa: E402
from jobs.training.results.conditions import device_name, write_conditions, write_machine  # noqa: E402
from tests.jobs.small_set import context, small_set  # noqa: E402

pytestmark = pytest.mark.torch


def test_what_is_published_knows_versions_and_counts_and_no_machine(tmp_path: Path) -> None:
    ctx = context(tmp_path / "attempt", small_set(tmp_path / "packed"), devices=("simulated-0",))
    engine = Engine("cpu", "bf16-mixed")
    write_conditions(ctx, read_fold(ctx), engine, ["few pictures of grün"])
    write_machine(ctx, engine, seconds=12.5)
    published = json.loads((ctx.out / "training.json").read_text(encoding="utf-8"))
    assert published["versions"]["torch"] == version("torch")
    assert published["precision"] == "bf16-mixed" and published["devices"] == 1
    assert published["samples"] == {"train": 24, "validation": 12}
    assert published["remarks"] == ["few pictures of grün"]
    local = json.loads((ctx.out / "local" / "timing.json").read_text())
    assert local["seconds"] == 12.5 and local["device"] == "CPU for simulated-0"
    assert not {"seconds", "device", "python"} & set(published)


@pytest.mark.parametrize(
    ("engine", "devices", "name"),
    [
        (Engine("gpu", "16-mixed", devices=2), ("GPU-1", "GPU-2"), "2 × NVIDIA L4"),
        (Engine("gpu", "16-mixed"), ("GPU-1",), "NVIDIA L4"),
        (Engine("tpu", "bf16-true"), ("TPU-0",), "TPU"),
        (Engine("cpu", "32-true"), (), "CPU"),
    ],
)
def test_a_device_has_the_name_that_its_driver_gives(
    engine: Engine, devices: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA L4")
    assert device_name(engine, devices) == name
