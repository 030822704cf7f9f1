"""`skint cache ls --json`, `cache verify --json` and `cache prune --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.cache.entry import Entry as Row
from orchestrator.shapes.shape import instant, shape


@shape
class Entry:
    """What one attempt has left on disk."""

    attempt: str
    run: str
    job: str
    uses: str
    sort: str
    """result, replaced (a newer one stands for it) or unfinished."""
    accelerator: bool
    """Made, or begun, in hours that were paid for."""
    out: str
    size_bytes: int
    made: str
    used: str
    """When the last run that has it ended."""
    used_by: tuple[str, ...]
    needed_by: str | None
    """A run that goes on and has it."""
    wall_ms: int
    """How long making it took."""
    charged_ms: int | None
    account: str
    unit: str


@shape
class CacheList:
    SCHEMA: ClassVar[str] = "cache-ls/1"

    size_bytes: int
    entries: tuple[Entry, ...]
    """The oldest use first."""


@shape
class Damaged:
    attempt: str
    out: str
    what: str


@shape
class CacheVerify:
    SCHEMA: ClassVar[str] = "cache-verify/1"

    verified: int
    damaged: tuple[Damaged, ...]


@shape
class Failed:
    attempt: str
    why: str


@shape
class CachePrune:
    SCHEMA: ClassVar[str] = "cache-prune/1"

    dry_run: bool
    removed: tuple[Entry, ...]
    """With `dry_run`: what would go."""
    freed_bytes: int
    left_bytes: int
    failed: tuple[Failed, ...]


def entry_shape(row: Row) -> Entry:
    return Entry(
        attempt=row.attempt,
        run=row.run,
        job=row.job,
        uses=row.uses,
        sort=row.sort,
        accelerator=row.accelerator,
        out=row.out,
        size_bytes=row.size_bytes,
        made=instant(row.made_ms),
        used=instant(row.used_ms),
        used_by=tuple(row.used_by),
        needed_by=row.needed_by or None,
        wall_ms=row.wall_ms,
        charged_ms=row.charged_ms,
        account=row.account,
        unit=row.unit,
    )
