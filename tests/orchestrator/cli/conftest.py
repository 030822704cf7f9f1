from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal with a practice account; its background scheduler is stopped in the end."""
    made = Terminal(tmp_path)
    added = made.skint("account", "add", "practice", "--preset", "simulated", "--quota", "1h")
    assert added.code == 0, added.err
    yield made
    made.skint("scheduler", "stop")
