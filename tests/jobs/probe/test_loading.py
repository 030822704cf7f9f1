"""How fast the loader is, with processes that are really there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

pytest.importorskip("torch")

from jobs.probe.loading import fewest, loader_rates, worker_counts
from jobs.training.data.fold import read_fold
from jobs.training.recipe.recipe import Recipe
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch


def test_each_number_of_processes_is_measured_with_so_many(tmp_path: Path) -> None:
    data = read_fold(context(tmp_path / "job", small_set(tmp_path / "packed")))
    at_work: list[int] = []

    def look() -> None:
        children = psutil.Process().children(recursive=True)
        at_work.append(sum("skint.workers" in " ".join(child.cmdline()) for child in children))

    ctx: Any = SimpleNamespace(cpus=1, check=look)
    rates = loader_rates(Recipe(model="net:Net", batch_size=4, augment="light"), data, ctx)
    assert set(rates) == {0, 1} and all(rate > 0 for rate in rates.values())
    assert at_work[0] == 0 and at_work[-1] == 1


def test_few_processes_are_enough_where_more_are_hardly_faster() -> None:
    assert worker_counts(1) == (0, 1) and worker_counts(6) == (0, 1, 2, 4)
    assert fewest({0: 96.0, 1: 100.0, 2: 99.0}) == 0
    assert fewest({0: 50.0, 1: 97.0, 2: 100.0}) == 1
