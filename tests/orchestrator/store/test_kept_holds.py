"""Holds are read off the store by who wants nothing else of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.events.holding import HoldSet
from orchestrator.state.state import State
from orchestrator.store.kept_holds import HoldsUnreadable, read_holds
from orchestrator.store.store import Store


def test_they_are_those_of_the_whole_state(tmp_path: Path) -> None:
    path = tmp_path / "home #1?" / "store.db"
    assert read_holds(path) == ()
    with Store(path) as store:
        event = HoldSet(at_ms=5, run="", account="", lane="cpu", accounts=(), reason="", by="me")
        store.keep([event], State())
        assert read_holds(path) == store.state().holds == store.replayed().holds != ()


def test_a_damaged_store_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is no store" * 1000)
    with pytest.raises(HoldsUnreadable, match="cannot be read"):
        read_holds(path)
