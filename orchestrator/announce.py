"""Which events are worth words, and which words: pure."""
from __future__ import annotations
from collections.abc import Sequence
from orchestrator import events as e
from orchestrator.state import State
from notifiers.base import Notice
def notices(events: Sequence[e.Event], state: State) -> list[tuple[str, Notice]]:
    return []
