"""The holds that stand, read off the events of a store. Whoever asks for nothing else imports no
more than this."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from orchestrator.events.holding import (
    Hold,
    HoldReleased,
    HoldSet,
    HoldWidened,
    with_hold,
    with_wider,
    without_hold,
)
from skint.errors import SkintError

_QUERY = (
    "SELECT kind, data FROM event WHERE run = ''"
    " AND kind IN ('HoldSet', 'HoldWidened', 'HoldReleased') ORDER BY id"
)


class HoldsUnreadable(SkintError):
    """What stands in the store about holds cannot be read."""


def kept_holds(db: sqlite3.Connection) -> tuple[Hold, ...]:
    """The oldest first. KeyError, TypeError or ValueError for what a newer skint has written."""
    holds: tuple[Hold, ...] = ()
    for kind, text in db.execute(_QUERY).fetchall():
        data = json.loads(text)
        if "accounts" in data:
            data["accounts"] = tuple(data["accounts"])
        if kind == "HoldSet":
            holds = with_hold(holds, HoldSet(**data))
        elif kind == "HoldWidened":
            holds = with_wider(holds, HoldWidened(**data))
        else:
            holds = without_hold(holds, HoldReleased(**data))
    return holds


def read_holds(store: Path) -> tuple[Hold, ...]:
    """Those of the store at that path; none where there is no store yet. Raises HoldsUnreadable."""
    if not store.exists():
        return ()
    try:
        with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return kept_holds(db)
    except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
        raise HoldsUnreadable(
            "the holds cannot be read", where=str(store), got=error, next="skint doctor files"
        ) from error
