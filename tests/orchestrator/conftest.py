"""Fixtures of the tests that run real processes under a scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.home import Home
from tests.orchestrator.homes import LivingHome


@pytest.fixture
def living(skint_home: Path, tmp_path: Path) -> Iterator[LivingHome]:
    """A home with an account `lab` of one hour, simulated; no process of it outlives the test."""
    made = LivingHome(Home(skint_home), tmp_path)
    yield made
    made.close()
