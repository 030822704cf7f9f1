"""The ledger, the store and the settings: whole, of this version, and in agreement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from budget.ledger import Ledger
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.settings import SettingsError, read_settings, settings_path
from orchestrator.store.file import STORE_VERSION
from skint.errors import SkintError


def look(machine: Machine) -> Iterator[Finding]:
    yield _ledger(machine.home.ledger)
    yield _store(machine.home.store)
    yield _settings(machine)


def _ledger(path: Path) -> Finding:
    if not path.exists():
        return ok("ledger", "none yet: it begins with the first account")
    try:
        fault = quick_check(path)
        if fault:
            return bad("ledger", f"{path} is damaged: {fault}", f"put a copy of {path.name} back")
        with Ledger(path, read_only=True) as ledger:
            wrong = ledger.check()
            charges = len(ledger.charges())
    except SkintError as error:
        return bad("ledger", f"{path}: {error.what}", error.next or "")
    if wrong:
        return bad("ledger", f"{len(wrong)} lines disagree: {wrong[0]}", "skint ledger check")
    return ok("ledger", f"whole, {charges:,} charges add up")


def _store(path: Path) -> Finding:
    if not path.exists():
        return ok("store", "none yet: it begins with the first run")
    fault = quick_check(path)
    if fault:
        fix = f"mv {path} {path}.damaged: runs are forgotten, hours and results stay"
        return bad("store", f"{path} is damaged: {fault}", fix)
    with closing(_opened(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (events,) = connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
    if version > STORE_VERSION:
        return bad("store", f"written by a newer skint (version {version})",
                   "pip install --upgrade skint")  # fmt: skip
    if version < STORE_VERSION:
        return warn("store", f"of version {version}; the next command that writes brings it to"
                    f" {STORE_VERSION}", "skint status")  # fmt: skip
    return ok("store", f"whole, {events:,} events; skint replay projects them again")


def _settings(machine: Machine) -> Finding:
    path = settings_path(machine.home.path, machine.environ)
    if not path.exists():
        return ok("settings", "none: skint config list tells which there are")
    try:
        read_settings(machine.home.path, machine.environ)
    except SettingsError as error:
        return bad("settings", f"{error.where}: {error.what}", error.next or "")
    return ok("settings", str(path))


def quick_check(path: Path) -> str | None:
    """What SQLite finds wrong with the file; None where it is whole. Raises OperationalError where
    it cannot look: a file that is busy or not ours is not a damaged one."""
    try:
        with closing(_opened(path)) as connection:
            rows = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.Error as error:
        return str(error)
    said = str(rows[0][0]) if rows else "ok"
    return None if said == "ok" else said


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
