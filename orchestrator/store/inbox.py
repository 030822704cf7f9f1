"""The inbox of the store: what people ask for, and what the scheduler has answered."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.store.file import StoreFile
from orchestrator.store.text import dump
from skint import bell

# Whoever only reads asks for nothing.
if TYPE_CHECKING:
    from orchestrator import commands as c


@dataclass(frozen=True)
class Reply:
    ok: bool
    text: str


class Inbox(StoreFile):
    """The store as who only asks has it open."""

    def ask(self, request: c.Request, now_ms: int, id: str | None = None) -> str:
        """Put a command into the inbox; its id. Asking again with the same id changes nothing."""
        from orchestrator import commands as c

        id = id or uuid.uuid4().hex
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO command (id, at_ms, kind, data) VALUES (?, ?, ?, ?)",
                (id, now_ms, type(request).__name__, dump(c.to_json(request))),
            )
        bell.ring(self.path.with_name(bell.NAME))
        return id

    def run_names(self) -> set[str]:
        """Of all runs that there are."""
        return {name for (name,) in self._db.execute("SELECT run FROM run")}

    def unanswered(self) -> list[c.Command]:
        from orchestrator import commands as c

        rows = self._db.execute(
            "SELECT id, at_ms, kind, data FROM command WHERE ok IS NULL ORDER BY rowid"
        ).fetchall()
        found = []
        for id, at_ms, kind, data in rows:
            try:
                found.append(c.Command(id, at_ms, c.from_json(kind, json.loads(data))))
            except (KeyError, TypeError, ValueError):  # put there by another version
                text = f"this scheduler does not know the command {kind}"
                with self._transaction() as db:
                    db.execute("UPDATE command SET ok=0, reply=? WHERE id=?", (text, id))
        return found

    def reply(self, command: str) -> Reply | None:
        """The scheduler's answer, once there is one."""
        row = self._db.execute("SELECT ok, reply FROM command WHERE id=?", (command,)).fetchone()
        return Reply(bool(row[0]), row[1]) if row and row[0] is not None else None
