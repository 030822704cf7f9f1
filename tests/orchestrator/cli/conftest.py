from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.cli import main
from tests.terminal import Said, Terminal

InProcess = Callable[..., Said]
"""`skint` with these words, in this process."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal with a practice account; its background scheduler is stopped in the end."""
    made = Terminal(tmp_path)
    added = made.skint("account", "add", "practice", "--preset", "simulated", "--quota", "1h")
    assert added.code == 0, added.err
    yield made
    made.skint("scheduler", "stop")


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> InProcess:
    """A command without a process of its own, in `tmp_path`: for those that start none."""
    monkeypatch.chdir(tmp_path)

    def said(*words: str) -> Said:
        code = main(words)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return said
