"""What the checks on a device stand on. Nothing here is collected without `--device`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.devices import DECLARED

if TYPE_CHECKING:
    from tests.device.given import Given


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--device") is None else None


@pytest.fixture(scope="session")
def given(request: pytest.FixtureRequest) -> Given:
    """The device that is checked, and how much work is right for it."""
    from tests.device.given import GIVEN  # imports torch, which not every run has

    return GIVEN[str(request.config.getoption("--device"))]()


@pytest.fixture(autouse=True)
def skint_home(skint_home: Path, given: Given, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As for every test; but here a real device is to be used."""
    monkeypatch.setenv(DECLARED, given.declared)
    return skint_home
