"""Amounts are hours ("+1.5h", "-30m", "28h") or, for accounts that count credits, numbers ("100").
Instants have a zone ("2026-11-28T00:00Z"). An --id makes a command safe to repeat: the second time
it changes nothing."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from budget.accounts.account import Account
from budget.duration import parse_ms
from budget.ledger import Ledger
from orchestrator.cli.ledger.amount import SignedParser
from orchestrator.cli.ledger.ledger_notes import NOTES, add_adjust, add_grant, add_reading
from orchestrator.cli.ledger.ledger_rows import as_csv, as_json, as_table
from orchestrator.home import Home
from orchestrator.views.budget.entries import Entry, entries_of
from skint.errors import FAILED, OK, SkintError


class ExportError(SkintError):
    """The export cannot be written."""


EXAMPLES = (
    "skint ledger list demo",
    "skint ledger adjust demo +30m --reason 'a notebook of my own'",
    "skint ledger check",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action",
        required=True,
        metavar="list | export | adjust | reading | grant | check",
        parser_class=SignedParser,
    )
    listed = actions.add_parser("list", help="what was written down", allow_abbrev=False)
    listed.add_argument("account", nargs="?", metavar="ACCOUNT", help="one account; default: all")
    listed.add_argument("--since", metavar="TIME", help="of the last e.g. 7d; default: all")
    how = listed.add_mutually_exclusive_group()
    how.add_argument("--format", choices=("text", "csv", "json"), default="text")
    how.add_argument(
        "--json",
        action="store_const",
        dest="format",
        const="json",
        help="for programs: one JSON document",
    )
    listed.add_argument("--exact", action="store_true", help="to the millisecond")
    export = actions.add_parser("export", help="all of it, for other programs", allow_abbrev=False)
    export.add_argument("account", nargs="?", metavar="ACCOUNT", help="one account; default: all")
    export.add_argument("--format", choices=("csv", "json"), required=True)
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    add_adjust(actions.add_parser("adjust", help="correct what was used", allow_abbrev=False))
    add_reading(
        actions.add_parser("reading", help="note what the provider counts", allow_abbrev=False)
    )
    add_grant(
        actions.add_parser("grant", help="add a lot that was granted or bought", allow_abbrev=False)
    )
    actions.add_parser("check", help="whether all sums agree", allow_abbrev=False)


def run(arguments: argparse.Namespace) -> int:
    now_ms = time.time_ns() // 1_000_000
    path = Home.find().ledger
    if arguments.action in ("list", "export", "check"):
        with Ledger(path, read_only=True) as ledger:
            if arguments.action == "check":
                return _check(ledger)
            if arguments.action == "list":
                return _list(ledger, arguments, now_ms)
            return _export(ledger, arguments)
    with Ledger(path) as ledger:
        account = ledger.account(arguments.account)
        id = arguments.id or f"{arguments.action}-{os.urandom(6).hex()}"
        said = NOTES[arguments.action](ledger, account, arguments, id, now_ms)
    simulated = " (simulated)" if account.kind == "simulated" else ""
    print(f"{account.name}{simulated}: {said}")
    return OK


def _entries(ledger: Ledger, name: str | None) -> tuple[Entry, ...]:
    """Everything of one account or of all, removed ones too."""
    charges, readings = ledger.charges(name), ledger.readings(name)
    lots, savings = ledger.lots(name), ledger.savings(name)
    names = {name} if name else {account.name for account in ledger.accounts()}
    for rows in (charges, readings, lots, savings):
        names |= {row.account for row in rows}
    return entries_of(
        [_last_known(ledger, known) for known in sorted(names)],
        reservations=[
            made for made in ledger.reservations(open_only=False) if name in (None, made.account)
        ],
        charges=charges,
        readings=readings,
        lots=lots,
        savings=savings,
    )


def _last_known(ledger: Ledger, name: str) -> Account:
    """The account as it is, or as it was when it was removed. Raises `AccountNotFound`."""
    known = [version.account for version in ledger.account_versions(name) if version.account]
    return known[-1] if known else ledger.account(name)


def _list(ledger: Ledger, arguments: argparse.Namespace, now_ms: int) -> int:
    entries = _entries(ledger, arguments.account)
    if arguments.since is not None:
        since_ms = now_ms - parse_ms(arguments.since, where="--since")
        entries = tuple(entry for entry in entries if entry.at_ms >= since_ms)
    if arguments.format != "text":
        _write(as_csv(entries) if arguments.format == "csv" else as_json(entries), None)
    elif entries:
        names = {entry.account for entry in entries}
        zones = {name: _last_known(ledger, name).limits[0].window.zone for name in names}
        print(as_table(entries, zones, arguments.exact))
    else:
        print("nothing is written down yet" if not arguments.since else "nothing in that time")
    return OK


def _export(ledger: Ledger, arguments: argparse.Namespace) -> int:
    entries = _entries(ledger, arguments.account)
    _write(as_csv(entries) if arguments.format == "csv" else as_json(entries), arguments.output)
    if arguments.output:
        count = "1 line" if len(entries) == 1 else f"{len(entries)} lines"
        print(f"wrote {count} to {arguments.output}", file=sys.stderr)
    return OK


def _write(text: str, target: str | None) -> None:
    """To standard output, or to a file: whole, or not at all."""
    try:
        if target is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        elif Path(target).exists() and not Path(target).is_file():
            Path(target).write_text(text, encoding="utf-8", newline="")  # a device, a pipe
        else:
            _replace(Path(target).resolve(), text)  # what a link leads to, not the link
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(
            "the export cannot be written",
            where=target or "standard output",
            got=error.strerror or str(error),
        ) from error


def _replace(path: Path, text: str) -> None:
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(made, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _check(ledger: Ledger) -> int:
    problems = ledger.check()
    for problem in problems:
        print(problem)
    if problems:
        count = "1 thing does" if len(problems) == 1 else f"{len(problems)} things do"
        print(f"{count} not agree: keep the file, and put a copy of before back", file=sys.stderr)
        return FAILED
    print("all sums agree")
    return OK
