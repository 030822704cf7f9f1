"""The job `probe` on tiny pictures, with its real processes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import skint
from jobs.probe.job import probe
from jobs.probe.params import Params
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

NETS = "tests.jobs.probe.greedy_net"


def looked(folder: Path, packed: Path, **fields: Any) -> tuple[dict[str, Any], str]:
    """What it wrote and what it said."""
    # In the process that measures, the tests are not on the path: their folder is the plan's.
    ctx = context(folder, packed, base=Path(__file__).resolve().parents[3])
    given = {"model": "tests.jobs.training.small_net:Net", "batch_size": 6, "steps": 2}
    probe(Params(**{**given, "augment": "light", **fields}), ctx)
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    said = "\n".join(line["text"] for line in lines if line["kind"] == "note")
    return json.loads((ctx.out / "probe.json").read_text()), said


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"), sizes=(8, 16))


def test_all_that_there_is_to_know(tmp_path: Path, packed: Path) -> None:
    other = f"{NETS}:Greedy"
    found, said = looked(tmp_path, packed, largest_batch=24, lr_steps=30, models=[other])
    assert found["step_ms"] > 0 and found["rate"] > 0 and found["device"] == "cpu"
    assert [row["batch"] for row in found["batches"]] == [16, 24]
    assert "largest batch that fits: 24 (no larger one was tried)" in said
    assert [row["size_px"] for row in found["sizes"]] == [8, 16]
    assert "8 px instead of 16: " in said and "faster a step" in said
    small, large = (row["gflops"] for row in found["sizes"])
    assert 0 < small < large
    parameters = 8 * 3 * 9 + 8 + 2 * 8 + 32 * 3 + 3
    assert {row["model"]: row["parameters"] for row in found["models"]} == {
        "tests.jobs.training.small_net:Net": parameters,
        other: parameters,
    }
    assert set(found["lr_suggestions"]) == {"valley", "slide", "minimum", "steep"}
    assert "learning rates: valley" in said
    with (tmp_path / "out" / "lr_finder.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["lr"]) == pytest.approx(1e-7)
    assert (tmp_path / "out" / "lr_finder.png").read_bytes().startswith(b"\x89PNG")
    assert found["workers"] in map(int, found["loader"])
    assert "the network takes" in said


@pytest.mark.parametrize("net", ["Greedy", "Killed"])
def test_a_batch_that_does_not_fit_is_survived(tmp_path: Path, packed: Path, net: str) -> None:
    found, said = looked(tmp_path, packed, model=f"{NETS}:{net}", look=["batch"], largest_batch=24)
    assert found["batches"][-1]["batch"] == 16
    assert "largest batch that fits: 16; fastest: 16" in said


def test_a_recipe_that_does_not_fit_at_all_and_one_that_is_broken(
    tmp_path: Path, packed: Path
) -> None:
    with pytest.raises(skint.SkintError, match="does not fit") as caught:
        looked(tmp_path / "a", packed, model=f"{NETS}:Greedy", look=[], batch_size=21)
    assert caught.value.got == "out of memory with a batch of 21"
    with pytest.raises(skint.SkintError, match="cannot be measured") as caught:
        looked(tmp_path / "b", packed, model=f"{NETS}:Broken", look=[])
    assert caught.value.got == "ValueError: no such shape"
    with pytest.raises(skint.SkintError, match="ended before it measured anything"):
        looked(tmp_path / "c", packed, model=f"{NETS}:Stillborn", look=[])


def test_what_was_measured_before_a_stop_stays(tmp_path: Path, packed: Path) -> None:
    with pytest.raises(skint.SkintError, match="cannot be measured"):
        looked(tmp_path, packed, look=["loader", "models"], models=[f"{NETS}:Broken"])
    found = json.loads((tmp_path / "out" / "probe.json").read_text())
    assert found["step_ms"] > 0 and found["loader"] and "models" not in found
    events = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    assert [one["name"] for one in events if one["kind"] == "stage"] == ["step", "models"]
