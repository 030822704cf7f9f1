"""What may go, by a person's wish: the oldest use first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.cache.entry import Entry


@dataclass(frozen=True)
class Wish:
    """All that is given must hold of what goes; `max_bytes` says how much of that goes."""

    max_bytes: int | None = None
    """No more than is necessary for the whole to be this large."""
    older_ms: int | None = None
    """Only what was not used for so long."""
    unused: bool = False
    """Only what the newest run of no plan has."""
    accelerator: bool = False
    """Also what was made in hours that were paid for."""


def chosen(entries: Sequence[Entry], wish: Wish, now_ms: int) -> list[Entry]:
    """Of `entries`, which are sorted by their last use, those that go."""
    may_go = [
        entry
        for entry in entries
        if not entry.needed_by
        and (wish.accelerator or not entry.accelerator)
        and (wish.older_ms is None or entry.used_ms < now_ms - wish.older_ms)
        and not (wish.unused and entry.current)
    ]
    if wish.max_bytes is None:
        return may_go
    total = sum(entry.size_bytes for entry in entries)
    found = []
    for entry in may_go:
        if total <= wish.max_bytes:
            break
        found.append(entry)
        total -= entry.size_bytes
    return found
