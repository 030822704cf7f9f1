"""The ledger's tables: one script for each version, and what it computes from the one before."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from budget.ledger import total


@dataclass(frozen=True, slots=True)
class Migration:
    """What brings the tables of one version to the next: statements, what SQL cannot say, and then
    the indexes and the triggers that guard the result."""

    script: str
    fill: Callable[[sqlite3.Connection], None] = lambda connection: None
    guards: str = ""

    def run(self, connection: sqlite3.Connection) -> None:
        """Inside the caller's transaction: `executescript` would commit half-way."""
        for statement in _statements(self.script):
            connection.execute(statement)
        self.fill(connection)
        for statement in _statements(self.guards):
            connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):  # not so inside a trigger
            yield statement
            statement = ""


VERSION_1 = """
    CREATE TABLE account (
        name TEXT PRIMARY KEY, definition TEXT NOT NULL, added_at_ms INTEGER NOT NULL
    );
    CREATE TABLE reservation (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        devices INTEGER NOT NULL CHECK (devices > 0),
        rate INTEGER NOT NULL CHECK (rate > 0),
        amount_ms INTEGER NOT NULL CHECK (amount_ms > 0),
        reserved_at_ms INTEGER NOT NULL,
        expires_ms INTEGER,
        start_ms INTEGER,
        closed_ms INTEGER
    );
    CREATE TABLE line (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('settled', 'estimated', 'released', 'adjustment')),
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
        devices INTEGER NOT NULL,
        rate INTEGER NOT NULL,
        reserved_ms INTEGER NOT NULL,
        amount_ms INTEGER NOT NULL CHECK (amount_ms >= 0 OR kind = 'adjustment'),
        at_ms INTEGER NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE TABLE share (
        line TEXT NOT NULL REFERENCES line (id),
        attempt TEXT NOT NULL,
        amount_ms INTEGER NOT NULL CHECK (amount_ms >= 0),
        PRIMARY KEY (line, attempt)
    );
"""
"""What version 2 reads of it."""

VERSION_2 = """
    ALTER TABLE account RENAME TO account_1;
    ALTER TABLE reservation RENAME TO reservation_1;
    ALTER TABLE line RENAME TO line_1;
    ALTER TABLE share RENAME TO share_1;

    CREATE TABLE account (
        name TEXT PRIMARY KEY,
        parent TEXT REFERENCES account (name),
        added_at_ms INTEGER NOT NULL
    );
    CREATE TABLE account_version (
        account TEXT NOT NULL REFERENCES account (name),
        number INTEGER NOT NULL,
        from_ms INTEGER NOT NULL,
        definition TEXT, -- NULL: removed
        PRIMARY KEY (account, number)
    ) WITHOUT ROWID;
    CREATE TABLE reservation (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        devices INTEGER NOT NULL CHECK (devices > 0),
        machine TEXT NOT NULL,
        rate_milli INTEGER NOT NULL CHECK (rate_milli > 0),
        step_ms INTEGER NOT NULL CHECK (step_ms > 0),
        minimum_ms INTEGER NOT NULL CHECK (minimum_ms >= 0),
        amount_ms INTEGER NOT NULL CHECK (amount_ms > 0),
        reserved_at_ms INTEGER NOT NULL,
        expires_ms INTEGER,
        start_ms INTEGER,
        closed_ms INTEGER
    );
    CREATE TABLE line (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('settled', 'estimated', 'released', 'adjustment')),
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
        devices INTEGER NOT NULL,
        machine TEXT NOT NULL,
        rate_milli INTEGER NOT NULL,
        reserved_ms INTEGER NOT NULL,
        amount_ms INTEGER NOT NULL CHECK (amount_ms >= 0 OR kind = 'adjustment'),
        at_ms INTEGER NOT NULL,
        reason TEXT NOT NULL,
        refunds TEXT REFERENCES line (id),
        reach INTEGER NOT NULL -- see `budget.ledger.total.reach`
    );
    CREATE TABLE share (
        line TEXT NOT NULL REFERENCES line (id),
        attempt TEXT NOT NULL,
        amount_ms INTEGER NOT NULL,
        PRIMARY KEY (line, attempt)
    ) WITHOUT ROWID;
    CREATE TABLE total (
        account TEXT NOT NULL REFERENCES account (name),
        width_ms INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        amount_ms INTEGER NOT NULL,
        PRIMARY KEY (account, width_ms, start_ms)
    ) WITHOUT ROWID;
    CREATE TABLE reading (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        limit_name TEXT NOT NULL,
        used_ms INTEGER NOT NULL CHECK (used_ms >= 0),
        at_ms INTEGER NOT NULL,
        allowed_ms INTEGER CHECK (allowed_ms >= 0),
        reserved_ms INTEGER CHECK (reserved_ms >= 0),
        refresh_ms INTEGER CHECK (refresh_ms > at_ms),
        source TEXT NOT NULL,
        others_reserved_ms INTEGER NOT NULL CHECK (others_reserved_ms >= 0),
        noted_ms INTEGER NOT NULL
    );
    CREATE TABLE lot (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        amount_ms INTEGER NOT NULL CHECK (amount_ms > 0),
        granted_ms INTEGER NOT NULL,
        expires_ms INTEGER CHECK (expires_ms > granted_ms),
        reason TEXT NOT NULL,
        noted_ms INTEGER NOT NULL
    );
    CREATE TABLE saving (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('cache', 'early-stop', 'refused', 'parked')),
        amount_ms INTEGER NOT NULL CHECK (amount_ms >= 0),
        derivation TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    );

    INSERT INTO account SELECT name, NULL, added_at_ms FROM account_1;
    INSERT INTO account_version SELECT name, 1, added_at_ms, definition FROM account_1;
    INSERT INTO reservation
        SELECT id, account, owner, devices, '', rate * 1000, 1, 0, amount_ms, reserved_at_ms,
            expires_ms, start_ms, closed_ms
        FROM reservation_1 ORDER BY rowid;
    INSERT INTO line
        SELECT id, kind, account, owner, start_ms, end_ms, devices, '', rate * 1000, reserved_ms,
            amount_ms, at_ms, reason, NULL, 0
        FROM line_1 ORDER BY rowid;
    INSERT INTO share SELECT line, attempt, amount_ms FROM share_1;
    DROP TABLE share_1;
    DROP TABLE line_1;
    DROP TABLE reservation_1;
    DROP TABLE account_1;
"""

VERSION_2_GUARDS = """
    CREATE INDEX reservation_open ON reservation (account) WHERE closed_ms IS NULL;
    -- All that a sum over the lines of a broken hour needs, so that it reads no table.
    CREATE INDEX line_by_start ON line
        (account, reach, start_ms, end_ms, rate_milli, amount_ms);
    CREATE UNIQUE INDEX line_refunds ON line (refunds) WHERE refunds IS NOT NULL;
    CREATE INDEX reading_by_time ON reading (account, limit_name, at_ms);
    CREATE INDEX lot_of_account ON lot (account);
    CREATE INDEX saving_by_time ON saving (account, at_ms);
    CREATE TRIGGER reservation_kept BEFORE DELETE ON reservation
        BEGIN SELECT RAISE (ABORT, 'a reservation is never deleted'); END;
    CREATE TRIGGER reservation_fixed BEFORE UPDATE ON reservation
        WHEN OLD.closed_ms IS NOT NULL
            OR (OLD.start_ms IS NOT NULL AND NEW.start_ms IS NOT OLD.start_ms)
            OR (NEW.id, NEW.account, NEW.owner, NEW.devices, NEW.machine, NEW.rate_milli,
                    NEW.step_ms, NEW.minimum_ms, NEW.amount_ms)
                IS NOT (OLD.id, OLD.account, OLD.owner, OLD.devices, OLD.machine, OLD.rate_milli,
                    OLD.step_ms, OLD.minimum_ms, OLD.amount_ms)
        BEGIN SELECT RAISE (ABORT, 'a reservation starts once and closes once'); END;
    CREATE TRIGGER account_fixed BEFORE UPDATE ON account
        BEGIN SELECT RAISE (ABORT, 'an account never changes its parent'); END;
"""


VERSION_3 = """
    DROP INDEX saving_by_time;
    ALTER TABLE saving RENAME TO saving_2;
    CREATE TABLE saving (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (name),
        owner TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('cache', 'early-stop', 'refused', 'parked')),
        amount_ms INTEGER NOT NULL CHECK (amount_ms >= 0 OR takes_back IS NOT NULL),
        derivation TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        takes_back TEXT UNIQUE REFERENCES saving (id)
    );
    INSERT INTO saving
        SELECT id, account, owner, kind, amount_ms, derivation, at_ms, NULL
        FROM saving_2 ORDER BY rowid;
    DROP TABLE saving_2;
"""

VERSION_3_GUARDS = "CREATE INDEX saving_by_time ON saving (account, at_ms);"


def _kept(table: str) -> str:
    return f"""
    CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
        BEGIN SELECT RAISE (ABORT, 'a {table} is never deleted'); END;
    CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table}
        BEGIN SELECT RAISE (ABORT, 'a {table} is never changed'); END;
    """


_APPENDED_TO = ("account_version", "line", "share", "reading", "lot", "saving")

MIGRATIONS = (
    Migration(VERSION_1),
    Migration(VERSION_2, total.fill, VERSION_2_GUARDS + "".join(map(_kept, _APPENDED_TO))),
    Migration(VERSION_3, guards=VERSION_3_GUARDS + _kept("saving")),
)
