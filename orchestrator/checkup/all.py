"""All checks, in the order in which they are shown."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from orchestrator.checkup.finding import Finding, bad
from orchestrator.checkup.machine import Machine
from skint.errors import SkintError

CHECKS: Mapping[str, str] = {
    "python": "Python, skint, and packages whose names collide",
    "extras": "packages that training and others need",
    "training": "torch and the devices that it sees; the driver",
    "limits": "cores, memory, open files, shared memory",
    "clock": "the clock and the time zone",
    "disk": "room, and what kind of disk SKINT_HOME is on",
    "files": "the ledger, the store and the settings",
    "accounts": "accounts, and how old their readings are",
    "scheduler": "the background scheduler",
    "slack": "tokens of Slack; with --online whether they are taken",
}
"""By name, which is that of the module with `look`."""


def look(machine: Machine, names: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Each finding as soon as it is there, of the checks named, or of all."""
    for name in names or CHECKS:
        module = importlib.import_module(f"orchestrator.checkup.{name}")
        check = cast("Callable[[Machine], Iterator[Finding]]", module.look)
        try:
            yield from check(machine)
        except SkintError as error:
            yield bad(name, " ".join(str(error).split("\n")[:1]), error.next or "")
        except (OSError, sqlite3.Error) as error:
            yield bad(name, f"this could not be looked at: {error}")
