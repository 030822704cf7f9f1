from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger, LedgerError
from budget.ledger.file import APPLICATION_ID, VERSION, _make

NOW_MS = 1_790_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with one account, one charge and one open reservation."""
    made = tmp_path / "ledger.db"
    with Ledger(made) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
        for id in ("a", "b"):
            ledger.reserve(
                id=id,
                account="simulated",
                owner="run",
                devices=1,
                amount_ms=HOUR_MS,
                now_ms=NOW_MS,
            )
        ledger.settle("a", NOW_MS, NOW_MS + 7, shares={"x": 1}, now_ms=NOW_MS + 7)
    return made


def refusal(path: Path, *, read_only: bool = False) -> str:
    """What opening `path` says; the file must be as it was afterwards."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerError) as caught:
        Ledger(path, read_only=read_only)
    assert caught.value.where == str(path)
    assert caught.value.next is not None
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value.what


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(
    tmp_path: Path, read_only: bool
) -> None:
    text, empty, foreign = (tmp_path / name for name in ("text", "empty", "foreign"))
    text.write_text("accounts: none\n" * 100)
    empty.touch()
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE account (name)")
    assert refusal(text, read_only=read_only) == "this is not a ledger, or it is damaged"
    assert refusal(empty, read_only=read_only) == "this is not a ledger: it is empty"
    assert "another program's SQLite file" in refusal(foreign, read_only=read_only)
    assert refusal(tmp_path, read_only=read_only) == "this is not a ledger: it is not a file"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_truncated_ledger_is_refused_and_never_reads_as_zero(path: Path, read_only: bool) -> None:
    """Edge 17: cut short anywhere."""
    whole = path.read_bytes()
    for size in (
        1,
        100,
        4096,
        len(whole) // 2,
        len(whole) - 4096,
        len(whole) - 512,
        len(whole) - 1,
    ):
        path.write_bytes(whole[:size])
        assert "damaged" in refusal(path, read_only=read_only)


def test_a_ledger_damaged_inside_says_so_when_it_is_read(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)
    with pytest.raises(LedgerError, match="damaged"), Ledger(path) as ledger:
        ledger.accounts()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_ledger_of_a_newer_version_is_refused(path: Path, read_only: bool) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    assert "written by a newer skint" in refusal(path, read_only=read_only)


def test_a_ledger_without_tables_of_an_older_version_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    with Ledger(path) as ledger:
        assert ledger.add_account(preset("simulated"), NOW_MS)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_making_a_ledger_where_another_has_just_made_one_leaves_that_one(path: Path) -> None:
    before = path.read_bytes()
    _make(path)
    assert path.read_bytes() == before


def test_the_file_is_durable_and_in_wal_mode_and_nothing_else_is_left_beside_it(
    path: Path,
) -> None:
    assert [entry.name for entry in path.parent.iterdir() if entry.is_file()] == ["ledger.db"]
    with Ledger(path) as ledger:
        (mode,) = ledger._file._connection.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = ledger._file._connection.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)


def test_a_missing_file_reads_as_empty_and_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "ledger.db"
    with Ledger(missing, read_only=True) as ledger:
        assert ledger.accounts() == ()
        assert ledger.reservations() == ()
        assert ledger.charges() == ()
        with pytest.raises(LedgerError, match="cannot be written"):
            ledger.add_account(preset("simulated"), NOW_MS)
    assert not missing.parent.exists()


def test_a_reader_sees_the_ledger_that_is_made_and_written_after_it_opened(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path, read_only=True) as reader, Ledger(path) as writer:
        assert reader.accounts() == ()
        writer.add_account(preset("simulated"), NOW_MS)
        assert reader.accounts() == (preset("simulated"),)
        writer.add_account(preset("kaggle-gpu"), NOW_MS)
        assert len(reader.accounts()) == 2


def test_a_reader_cannot_write(path: Path) -> None:
    """Edge 17: read-only."""
    before = path.read_bytes()
    with Ledger(path, read_only=True) as reader:
        with pytest.raises(LedgerError, match="cannot be written"):
            reader.settle("b", NOW_MS, NOW_MS + 1, shares={}, now_ms=NOW_MS)
        assert [row.id for row in reader.reservations()] == ["b"]
    assert path.read_bytes() == before


AS_NOBODY = """
import os, sys, tempfile  # before setuid: Python itself may be in a folder of root's
from pathlib import Path
from budget.ledger import Ledger, LedgerError
if os.geteuid() == 0:  # permissions do not hold root back
    os.setuid(65534)
path = Path(sys.argv[1])
with Ledger(path, read_only=True) as reader:
    print(len(reader.accounts()), len(reader.charges()))
for call in (lambda: Ledger(path).expire(0), lambda: Ledger(path.with_name("new.db"))):
    try:
        call()
    except LedgerError as error:
        print(error.what)
"""


def test_a_ledger_in_a_folder_without_permission_can_be_read_but_not_written(path: Path) -> None:
    """Edge 17: read-only."""
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to other users
        folder = Path(name)
        copy = folder / "ledger.db"
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o444)
        folder.chmod(0o555)
        try:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(copy)],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        finally:
            folder.chmod(0o755)
        assert done.stdout.splitlines() == [
            "1 1",
            *["the ledger cannot be written: no permission, or opened to read only"] * 2,
        ], done.stderr
        assert [entry.name for entry in folder.iterdir()] == ["ledger.db"]


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "100% mine? #1" / "ledger ä.db"
    with Ledger(path) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
    with Ledger(path, read_only=True) as reader:
        assert len(reader.accounts()) == 1
    assert path.is_file()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM line",
        "UPDATE line SET amount_ms = 0",
        "DELETE FROM share",
        "UPDATE share SET amount_ms = 0",
        "DELETE FROM reservation",
        "UPDATE reservation SET amount_ms = 1 WHERE id = 'b'",
        "UPDATE reservation SET closed_ms = NULL WHERE id = 'a'",
        "UPDATE reservation SET start_ms = 1 WHERE id = 'a'",
    ],
)
def test_the_file_itself_refuses_to_change_what_is_written(path: Path, statement: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"never|once"),
    ):
        connection.execute(statement)


def test_a_ledger_kept_locked_by_another_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edge 17: locked."""
    monkeypatch.setattr("budget.ledger.file.BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, Ledger(path) as ledger:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="kept busy"):
            ledger.expire(NOW_MS)
        assert len(ledger.accounts()) == 1
        other.execute("ROLLBACK")
        assert ledger.expire(NOW_MS) == ()


def test_a_ledger_in_memory_has_all_that_one_in_a_file_has_and_shares_nothing(
    tmp_path: Path,
) -> None:
    def schema(ledger: Ledger) -> list[tuple[object, ...]]:
        with ledger._file.transaction(write=False) as connection:
            return [
                *connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name"),
                connection.execute("PRAGMA user_version").fetchone(),
                connection.execute("PRAGMA application_id").fetchone(),
                connection.execute("PRAGMA foreign_keys").fetchone(),
            ]

    with (
        Ledger(tmp_path / "ledger.db") as kept,
        Ledger(":memory:") as one,
        Ledger(":memory:") as other,
    ):
        assert schema(one) == schema(other) == schema(kept)
        assert one.add_account(preset("simulated"), NOW_MS)
        assert other.accounts() == ()
        assert other.add_account(preset("simulated"), NOW_MS)
