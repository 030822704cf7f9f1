"""What keeps the environment of a shell lives as long as its run, and not much longer."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.home import Home
from orchestrator.programs import keeper


def test_it_looks_again_at_a_store_that_cannot_be_read_and_leaves_in_the_end(
    skint_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    clock = count(0.0, keeper.PATIENCE_S / 2)
    time = SimpleNamespace(sleep=slept.append, monotonic=lambda: next(clock))
    monkeypatch.setattr(keeper, "time", time)
    store = Home.find().store
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_bytes(b"this is no store" * 1000)
    assert keeper.main(["lost"]) == 0
    assert slept == [keeper.LOOK_S] * 2
