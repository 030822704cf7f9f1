"""The ledger's SQLite file: made whole or not at all, opened only if it is one of ours."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from types import TracebackType

from budget.ledger.lease import OLD_S, Lease, LeaseLost, LeaseTaken, lease
from budget.ledger.network_disk import LOCAL, Disk, disk_at
from budget.ledger.schema import MIGRATIONS
from skint.errors import SkintError

APPLICATION_ID = 0x736B6E74
"""`sknt`, in the header of the file: what tells a ledger from any other SQLite file."""

BUSY_TIMEOUT_S = 30.0

IN_MEMORY = ":memory:"

VERSION = len(MIGRATIONS)
"""The file's `user_version` counts the migrations that it has had."""

_DAMAGED = "this is not a ledger, or it is damaged"
_RESTORE = "put a copy back, or move this away to begin a new ledger"


_NO_LEASE = nullcontext()


class LedgerError(SkintError):
    """The ledger cannot be used, or cannot do that."""


class LedgerFile:
    """The file at `path`; made if it is missing, or read as an empty ledger with `read_only`.

    On a disk of the network it has no log that processes share, and who writes holds a lease.
    `disk` is looked up if it is not given. Raises `LedgerError` for a file that is not a ledger, is
    damaged or was written by a newer version, and for a disk whose locks cannot be trusted.
    """

    def __init__(self, path: Path, *, read_only: bool, disk: Disk | None = None) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._translated = _Translated(path)
        with self._translated:
            in_memory = str(path) == IN_MEMORY
            self.disk = LOCAL if in_memory else disk or disk_at(path.parent)
            if self.disk.fault and not read_only:
                raise _locks_error(path, self.disk)
            with self._lease(write=not read_only):
                self._connection = self._open()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is durable when this ends, or none of it stands.

        Threads take turns. Raises `LedgerError` for what SQLite and the disk refuse.
        """
        with self._lock, self._translated, self._lease(write) as lease:
            connection = self._current()
            # IMMEDIATE takes the one write lock before anything is read, so that nobody else can
            # reserve between our look at the balance and our row.
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
                if lease is not None:
                    lease.check()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """For one statement that only reads: it needs no transaction of its own."""
        with self._lock, self._translated:
            yield self._current()

    def _current(self) -> sqlite3.Connection:
        if self.read_only and str(self.path) != IN_MEMORY:
            # Anew each time: the file may have been made, or moved, since the last look.
            self._connection.close()
            self._connection = self._open()
        return self._connection

    def _lease(self, write: bool) -> AbstractContextManager[Lease | None]:
        """The right to write, where locks alone are not enough; nothing on a local disk."""
        if not write or self.read_only or not self.disk.network:
            return _NO_LEASE
        self.path.parent.mkdir(parents=True, exist_ok=True)
        path = self.path.with_name(self.path.name + ".lease")
        return lease(path, wait_s=BUSY_TIMEOUT_S)

    def _open(self) -> sqlite3.Connection:
        path = self.path
        if str(path) == IN_MEMORY:
            return _in_memory()
        if self.read_only and not path.exists():
            connection = _in_memory()
            connection.execute("PRAGMA query_only = 1")
            return connection
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path, self.disk)
        if not path.is_file() or path.stat().st_size == 0:
            raise LedgerError(
                "this is not a ledger: it is " + ("empty" if path.is_file() else "not a file"),
                where=str(path),
                wanted="a ledger, which is never empty, or no file",
                next=_RESTORE,
            )
        if not _is_whole(path):
            raise LedgerError(_DAMAGED, where=str(path), next=_RESTORE)
        connection = _connect(path, self.read_only, self.disk)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            if self.disk.network and not self.read_only and _has_shared_log(path):
                _give_up_shared_log(connection, path)
            if _checked_version(connection, path) < VERSION:
                connection = _migrated(connection, self.read_only)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


class _Translated:
    """What SQLite, the disk and the lease refuse is raised as `LedgerError` of the file `path`.

    Not a generator: those cost as much as a small transaction in memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, sqlite3.Error | OSError):
            raise _ledger_error(self._path, error) from error
        if isinstance(error, UnicodeEncodeError):
            raise LedgerError(
                "a name that is no text cannot stand in the ledger", got=ascii(error.object)
            ) from error
        if isinstance(error, LeaseTaken):
            raise LedgerError(
                f"the ledger is kept by {error}",
                where=str(self._path),
                next=f"wait for it, or end it; a lease of {OLD_S / 60:.0f} minutes is taken over",
            ) from error
        if isinstance(error, LeaseLost):
            raise LedgerError(
                "this machine was stopped in the middle of a write, and another one has gone on:"
                " nothing was written",
                where=str(self._path),
                next="try again",
            ) from error


def _is_whole(path: Path) -> bool:
    """False for a file that is not SQLite's or ends in the middle of a page.

    SQLite itself finds missing pages, but reads the missing part of a page as zeros. With a log
    beside it such a page is in the log: a checkpoint was interrupted.
    """
    for log in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal")):
        if log.exists() and log.stat().st_size:
            return True
    with path.open("rb") as file:
        header = file.read(100)
    page_bytes = int.from_bytes(header[16:18], "big")  # file format, 1.3.2: 1 stands for 65536
    return (
        len(header) == 100
        and header.startswith(b"SQLite format 3\0")
        and path.stat().st_size % (65536 if page_bytes == 1 else max(page_bytes, 512)) == 0
    )


def _has_shared_log(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\2\2"  # file format, 1.3.3: read and written through a WAL


def _give_up_shared_log(connection: sqlite3.Connection, path: Path) -> None:
    """Make a ledger that comes from a local disk fit for one that machines share.

    While one connection has the file to itself its log needs no shared memory.
    """
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    _checked_version(connection, path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute("SELECT count(*) FROM sqlite_master")  # what lets go of the lock


def _connect(path: Path, read_only: bool, disk: Disk) -> sqlite3.Connection:
    query = "?mode=ro" if read_only else "?mode=rw"
    wal = path.with_name(path.name + "-wal")
    if read_only and not wal.exists():
        shared_log = _has_shared_log(path)
        if shared_log and (disk.network or not os.access(path.parent, os.W_OK)):
            query = "?immutable=1"  # else even a reader of a WAL file must be able to make files
        elif path.with_name(path.name + "-journal").exists() and os.access(path, os.W_OK):
            query = "?mode=rw"  # what a killed writer left half done is undone by who comes next
    connection = sqlite3.connect(
        path.resolve().as_uri() + query,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_S,
    )
    if read_only:
        connection.execute("PRAGMA query_only = 1")
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    # Reading a table, even an empty one, is what finds a truncated file.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID:
        raise LedgerError(
            "this is not a ledger: another program's SQLite file" if tables else _DAMAGED,
            where=str(path),
            next="name another file, or move this one away",
        )
    if version > VERSION:
        raise LedgerError(
            "this ledger was written by a newer skint",
            where=str(path),
            got=f"version {version}",
            wanted=f"version {VERSION} or older",
            next="update skint",
        )
    return int(version)


def _make(path: Path, disk: Disk = LOCAL) -> None:
    """Make an empty ledger beside `path` and link it there.

    So nobody ever sees a half-made ledger, and of two who make it at once one wins and the other
    opens the winner's. Disks of the network may know no links: there the lease keeps the other out.
    """
    import tempfile  # slow to import, and needed once in a ledger's life

    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        with closing(sqlite3.connect(made, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA journal_mode = {'DELETE' if disk.network else 'WAL'}")
            connection.execute("PRAGMA synchronous = FULL")
            _migrate(connection)
        try:
            if disk.network:
                made.rename(path)
            else:
                os.link(made, path)
        except FileExistsError:
            return
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with closing(sqlite3.connect(":memory:")) as blank:
        blank.deserialize(_blank())
        blank.backup(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@cache
def _blank() -> bytes:
    """An empty ledger: making the tables takes ten times as long as copying them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection)
        return connection.serialize()


def _migrated(connection: sqlite3.Connection, read_only: bool) -> sqlite3.Connection:
    """The ledger in the present version; a reader gets a copy and leaves the file as it is."""
    if read_only:
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with closing(connection):
            connection.backup(copy)
        connection = copy
    _migrate(connection)
    if read_only:
        connection.execute("PRAGMA query_only = 1")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to `VERSION` in one transaction; of two who do so the second finds it done.

    Foreign keys must not be enforced yet: tables are made anew under their old names.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for migration in MIGRATIONS[version:]:
            migration.run(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _locks_error(path: Path, disk: Disk) -> LedgerError:
    return LedgerError(
        f"a ledger on this disk ({disk.file_system}) could be overdrawn: {disk.fault}",
        where=str(path),
        next="set SKINT_HOME to a folder on a local disk, or have the disk mounted with locks",
    )


def _ledger_error(path: Path, error: sqlite3.Error | OSError) -> LedgerError:
    name = getattr(error, "sqlite_errorname", "")
    next: str | None = None
    what = f"the ledger cannot be used: {error}"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        what = _DAMAGED
        next = _RESTORE
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        what, next = "the ledger is kept busy by another process", "try again"
    elif name.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or isinstance(error, PermissionError):
        what = "the ledger cannot be written: no permission, or opened to read only"
        next = "check who owns the folder, or set SKINT_HOME to a folder of your own"
    elif name.startswith("SQLITE_CANTOPEN"):
        what = "the ledger cannot be opened"
        next = "check that the folder may be read and written, or set SKINT_HOME to another"
    elif name.startswith("SQLITE_FULL") or getattr(error, "errno", None) == errno.ENOSPC:
        what, next = "the disk is full: nothing was written to the ledger", "make room"
    elif name.startswith("SQLITE_IOERR"):
        what = "the disk refused to read or write the ledger: what was asked did not happen"
        next = "look at the disk, its quota and the limit on the size of files, then try again"
    return LedgerError(what, where=str(path), got=error, next=next)
