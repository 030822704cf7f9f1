"""The file of the store: opened, brought up to this version, and changed in whole transactions."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from orchestrator.store.errors import StoreError, StoreFull

STORE_VERSION = 5
"""What the versions before it lack: `orchestrator.store.versions`."""
PATIENCE_S = 30.0
"""How long another process may write before that is an error. Disks stall for seconds."""
TIGHT_BYTES = 1 << 20
"""With less than this on the disk, an error of writing is one of room."""


class StoreFile:
    """Opens or creates `path`. Raises StoreError for a file that is no store, or a newer one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _in_words(path):
                self._db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)
                self._write_ahead()
                self._db.execute("PRAGMA synchronous=FULL")
                if self._version() != STORE_VERSION:
                    self._bring_up()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the store cannot be used: {error}",
                where=str(path),
                next="move the file away to start with an empty store",
            ) from error

    def _write_ahead(self) -> None:
        """Set the journal's mode, which a file keeps. Where others make the file at the same time
        SQLite does not wait for them here, whatever its time-out is."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if not _is_held(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _bring_up(self) -> None:
        with self._transaction() as db:
            version = self._version()  # another process may have brought it up meanwhile
            if version < STORE_VERSION:
                from orchestrator.store.versions import bring_up

                bring_up(db, version, self.path)
                # An older skint would stumble over what is written from now on: it is told so.
                db.execute(f"PRAGMA user_version={STORE_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it is durable when this ends, or none of it stands. Raises StoreFull, and
        StoreError while another process writes and does not come to an end."""
        try:
            with _in_words(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                self._refuse_newer()
                yield self._db
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite may have ended it itself
                self._db.execute("ROLLBACK")
            raise

    def _refuse_newer(self) -> None:
        """A newer skint may bring the file up while this one has it open."""
        version = self._version()
        if version > STORE_VERSION:
            raise StoreError(
                "the store was written by a newer skint",
                where=str(self.path),
                got=f"version {version}",
                wanted=f"version {STORE_VERSION}",
                next="pip install --upgrade skint",
            )

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What SQLite raises where nothing is wrong with the file, as what a person can do about it."""
    try:
        yield
    except sqlite3.Error as error:
        if _has_no_room(error, path):
            raise StoreFull(
                "the disk is full: nothing more can be written to the store",
                where=str(path),
                got=f"{shutil.disk_usage(path.parent).free:,} bytes free ({error})",
                wanted="a few MB",
                next="make room, for example with `skint cache prune`, then try again; `skint tick`"
                " or `skint scheduler start` goes on with what runs, and nothing of it is lost",
            ) from error
        if _is_held(error):
            raise StoreError(
                "another process writes to the store and does not come to an end",
                where=str(path),
                got=f"{error}, for {PATIENCE_S:g} s",
                next="try again; if it stays so, is the disk slow, or a process of skint suspended"
                " (`ps`)?",
            ) from error
        raise


def _has_no_room(error: sqlite3.Error, path: Path) -> bool:
    """Whether a full disk is why; SQLite does not always call it so."""
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or (
        name.startswith("SQLITE_IOERR") and shutil.disk_usage(path.parent).free < TIGHT_BYTES
    )


def _is_held(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
