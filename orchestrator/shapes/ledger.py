"""`skint ledger list --json`, and `skint ledger export --format json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import instant, shape
from orchestrator.views.budget.entries import Entry as Row


@shape
class Entry:
    """One row. Each amount has one meaning, so that it may be added up; null: this kind of row says
    nothing of it."""

    kind: str
    """reservation (an open one), settled, estimated, released, adjustment, reading, lot, saving."""
    id: str
    account: str
    simulated: bool
    unit: str
    """What an amount counts: device, session or credit; 3,600,000 are one hour or credit."""
    at: str
    """When it was written, or when the provider's counter was read, or a lot granted."""
    owner: str
    reserved_at: str | None
    start: str | None
    end: str | None
    machine: str
    devices: int | None
    rate_milli: int | None
    """Thousandths of the unit an hour, of one device."""
    reserved_ms: int | None
    charged_ms: int | None
    limit: str
    provider_used_ms: int | None
    provider_reserved_ms: int | None
    provider_allowed_ms: int | None
    refresh: str | None
    granted_ms: int | None
    expires: str | None
    saved_ms: int | None
    source: str
    """Where a reading is from, or what kind of hours was saved."""
    refunds: str
    """The charge that an adjustment gives back."""
    reason: str


@shape
class Ledger:
    SCHEMA: ClassVar[str] = "ledger/1"

    entries: tuple[Entry, ...]
    """In the order in which they were written."""


def entry_shape(row: Row) -> Entry:
    return Entry(
        kind=row.kind,
        id=row.id,
        account=row.account,
        simulated=row.simulated,
        unit=row.unit,
        at=instant(row.at_ms),
        owner=row.owner,
        reserved_at=instant(row.reserved_at_ms),
        start=instant(row.start_ms),
        end=instant(row.end_ms),
        machine=row.machine,
        devices=row.devices,
        rate_milli=row.rate_milli,
        reserved_ms=row.reserved_ms,
        charged_ms=row.charged_ms,
        limit=row.limit,
        provider_used_ms=row.provider_used_ms,
        provider_reserved_ms=row.provider_reserved_ms,
        provider_allowed_ms=row.provider_allowed_ms,
        refresh=instant(row.refresh_ms),
        granted_ms=row.granted_ms,
        expires=instant(row.expires_ms),
        saved_ms=row.saved_ms,
        source=row.source,
        refunds=row.refunds,
        reason=row.reason,
    )
