"""A ledger that the previous version wrote opens, and reads as that version read it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from budget.duration import HOUR_MS
from budget.ledger import Ledger, LedgerError
from budget.ledger.file import VERSION, _migrate

KEPT = Path(__file__).parents[2] / "data" / "versions" / "ledger-1.db"
"""Written by version 1: settled, estimated, released, an adjustment, and two that are open."""

SATURDAY_MS = 1_795_219_200_000
NOW_MS = SATURDAY_MS + 7 * HOUR_MS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "ledger.db"
    shutil.copy(KEPT, copy)
    return copy


@pytest.mark.parametrize("read_only", [False, True])
def test_a_ledger_of_version_1_reads_as_it_did(path: Path, read_only: bool) -> None:
    with Ledger(path, read_only=read_only) as ledger:
        assert [account.name for account in ledger.accounts()] == ["kaggle-gpu", "lab", "simulated"]
        lab = ledger.balance("lab", NOW_MS)
        assert [limit.window.start_ms for limit in lab.limits] == [
            1_794_727_800_000,  # Sun 15 Nov 2026 02:30 in New York
            1_794_960_000_000,  # Wed 18 Nov 2026 00:00 UTC
        ]
        for limit in lab.limits:
            assert limit.settled_ms == 7_200_002 + 3_600_000 - 1_800_000
            assert (limit.in_flight_ms, limit.reserved_ms) == (3 * HOUR_MS, 2 * HOUR_MS)
            assert limit.free_ms == limit.amount_ms - 9_000_002 - 5 * HOUR_MS
        assert [limit.amount_ms for limit in lab.limits] == [40 * HOUR_MS, 8 * HOUR_MS]
        assert ledger.balance("simulated", NOW_MS).settled_ms == HOUR_MS // 2
        assert ledger.balance("simulated", SATURDAY_MS - 1).settled_ms == HOUR_MS
        assert ledger.balance("kaggle-gpu", NOW_MS).settled_ms == 3 * HOUR_MS
        assert [(line.id, line.kind, line.amount_ms) for line in ledger.charges("lab")] == [
            ("settled", "settled", 7_200_002),
            ("estimated", "estimated", 3_600_000),
            ("released", "released", 0),
            ("fix-1", "adjustment", -1_800_000),
        ]
        assert ledger.shares("settled") == {
            "seedlings-1.train.fold0.1": 4_800_001,
            "seedlings-1.train.fold1.1": 2_400_001,
        }
        assert [row.id for row in ledger.reservations()] == ["open", "flying"]


def test_what_version_1_left_open_is_settled_by_this_one(path: Path) -> None:
    with Ledger(path) as ledger:
        end_ms = SATURDAY_MS + 8 * HOUR_MS
        charge = ledger.settle(
            "flying", SATURDAY_MS + 6 * HOUR_MS, end_ms, shares={"x": 1}, now_ms=end_ms
        )
        assert charge.amount_ms == 6 * HOUR_MS
        ledger.release("open", end_ms, "never submitted")
    with Ledger(path, read_only=True) as again:
        assert again.reservations() == ()
        assert again.balance("lab", end_ms).settled_ms == 9_000_002 + 6 * HOUR_MS


def test_it_is_brought_to_this_version_whole_and_agrees_with_itself(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.check() == ()
        assert [row.rate_milli for row in ledger.reservations()] == [1_000, 3_000]
        assert ledger.account("kaggle-gpu").unit == "session"
        assert [limit.name for limit in ledger.account("lab").limits] == ["weekly", "weekly-2"]
        assert len(ledger.account_versions("lab")) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*_1'"
        )
        assert tables.fetchall() == []


def test_a_reader_leaves_the_old_file_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with Ledger(path, read_only=True) as reader:
        assert reader.check() == ()
        with pytest.raises(LedgerError, match="cannot be written"):
            reader.expire(NOW_MS)
    assert path.read_bytes() == before


def test_of_two_who_open_it_at_once_one_brings_it_to_this_version(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: _settled_of_lab(path), range(4)))
    assert found == [9_000_002] * 4


def _settled_of_lab(path: Path) -> int:
    with Ledger(path) as ledger:
        return ledger.balance("lab", NOW_MS).settled_ms


@pytest.mark.parametrize("statement", [1, 5, 12, 20, 27, 34, 50])
def test_a_kill_in_between_leaves_the_old_version_which_then_opens(
    path: Path, statement: int
) -> None:
    child = os.fork()
    if child == 0:
        try:
            left = statement
            connection = sqlite3.connect(path, isolation_level=None)

            def count(_: str) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            connection.set_trace_callback(count)
            _migrate(connection)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == signal.SIGKILL
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert _settled_of_lab(path) == 9_000_002
