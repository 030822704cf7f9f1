"""Entries of the ledger as a table, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from budget.amount import format_amount
from budget.instant import format_instant
from orchestrator.cli.printing.output import answer_text
from orchestrator.cli.printing.screen import table
from orchestrator.views.budget.entries import COLUMNS, Cell, Entry, cells_of
from orchestrator.views.figures import amount

HEADS = ("when", "what", "account", "whose", ">devices", ">reserved", ">charged", "id", "why")


def as_csv(entries: Sequence[Entry]) -> str:
    """RFC 4180: a header, whole milliseconds, quotes where a comma or a new line needs them.

    Text that a spreadsheet would take for a formula has an apostrophe in front.
    """
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(no_formula, cells_of(entry)) for entry in entries)
    return text.getvalue()


def no_formula(cell: Cell) -> Cell:
    dangerous = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if dangerous else cell


def as_json(entries: Sequence[Entry]) -> str:
    """One document, of the shape `ledger/1`."""
    from orchestrator.shapes.ledger import Ledger, entry_shape

    return f"{answer_text(Ledger(tuple(map(entry_shape, entries))))}\n"


def as_table(entries: Sequence[Entry], zones: Mapping[str, str], exact: bool = False) -> str:
    """For people: times on the clock of each account (`zones`), then what it comes to."""
    rows = [_row(entry, zones.get(entry.account, "UTC"), exact) for entry in entries]
    return "\n".join([table(HEADS, rows), "", *_sums(entries, exact)])


def _row(entry: Entry, zone: str, exact: bool) -> tuple[str, ...]:
    def shown(amount_ms: int | None) -> str:
        return "" if amount_ms is None else _shown(amount_ms, entry.unit, exact)

    charged = shown(entry.charged_ms)
    if entry.kind == "adjustment" and (entry.charged_ms or 0) > 0:
        charged = f"+{charged}"
    return (
        format_instant(entry.at_ms, zone),
        _what(entry),
        _name(entry),
        _in_a_line(entry.owner).rstrip("/") or "–",
        "" if not entry.devices else str(entry.devices),
        shown(entry.reserved_ms),
        charged,
        _in_a_line(entry.id),
        _in_a_line(_why(entry, zone)),
    )


def _what(entry: Entry) -> str:
    if entry.kind == "reservation":
        return "reserved" if entry.start_ms is None else "running"
    return "saved" if entry.kind == "saving" else entry.kind


def _why(entry: Entry, zone: str) -> str:
    def shown(amount_ms: int) -> str:
        return _shown(amount_ms, entry.unit, False)

    if entry.provider_used_ms is not None:
        words = f"the provider counts {shown(entry.provider_used_ms)}"
        if entry.provider_allowed_ms is not None:
            words += f" of {shown(entry.provider_allowed_ms)}"
        return f"{words} ({entry.source})"
    if entry.granted_ms is not None:
        end = (
            "no expiry"
            if entry.expires_ms is None
            else (f"until {format_instant(entry.expires_ms, 'UTC')}")
        )
        return f"{shown(entry.granted_ms)} granted, {end}: {entry.reason}"
    if entry.saved_ms is not None:
        return f"{shown(entry.saved_ms)} saved, {entry.source}: {entry.reason}"
    if entry.refunds:
        return f"{entry.reason} (refunds {entry.refunds})"
    if entry.kind == "adjustment" and entry.end_ms is not None and entry.end_ms != entry.at_ms:
        return f"{entry.reason} (counts {format_instant(entry.end_ms, zone)})"
    return entry.reason


def _sums(entries: Sequence[Entry], exact: bool) -> Iterator[str]:
    """What was charged and saved on each account, by these entries."""
    for name in sorted({entry.account for entry in entries}):
        own = [entry for entry in entries if entry.account == name]
        charged = _shown(sum(entry.charged_ms or 0 for entry in own), own[0].unit, exact)
        lines = "1 line" if len(own) == 1 else f"{len(own)} lines"
        yield f"{_name(own[0])}   charged {charged} in {lines}"


def _name(entry: Entry) -> str:
    return f"{entry.account} (simulated)" if entry.simulated else entry.account


def _shown(amount_ms: int, unit: str, exact: bool) -> str:
    return format_amount(amount_ms, unit, exact=True) if exact else amount(amount_ms, unit)


def _in_a_line(text: str) -> str:
    """Without what would break the line or move the cursor of a terminal."""
    return "".join(mark if mark.isprintable() else " " for mark in text)
