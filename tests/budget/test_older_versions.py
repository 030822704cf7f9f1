"""A ledger that the previous version wrote opens, and reads as that version read it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from budget.duration import HOUR_MS
from budget.ledger import Ledger

KEPT = Path(__file__).parent.parent / "data" / "versions" / "ledger-1.db"
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
