"""A folder of runs, with nothing left running afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestrator.executors.local_places import Place, clean


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "runs")
    yield made
    clean(made)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Place]:
    """The runs of another SKINT_HOME."""
    made = Place(tmp_path / "other" / "runs")
    yield made
    clean(made)
