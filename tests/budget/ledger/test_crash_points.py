"""kill -9 before every single statement that changes the ledger, then all of it again.

Edges 10 to 15: whatever was answered stands, what was not can be asked again, nothing is half done.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import Ledger
from budget.ledger.network_disk import Disk
from budget.windows import Lots

NOW_MS = 1_795_219_200_000
LAB = Account(
    "lab",
    "machine",
    "local",
    (weekly(30 * HOUR_MS), Limit(0, Lots(), "lots")),
)
CHILD = Account("child", "machine", "local", (weekly(20 * HOUR_MS),), parent="lab")
OLD = replace(CHILD, name="old")
READS = ("SELECT", "WITH", "PRAGMA")
"""A kill before one of these finds the file as the kill before the next change does."""


def work(ledger: Ledger) -> None:
    """What a scheduler and a person ask of it; every call may be made again."""
    ledger.grant(
        "lab", id="lot", amount_ms=60 * HOUR_MS, granted_ms=0, expires_ms=None, reason="bought",
        now_ms=NOW_MS,
    )  # fmt: skip
    for number, id in enumerate(("settled", "lost", "never")):
        ledger.reserve(
            id=id,
            account="child",
            owner="run",
            devices=2,
            amount_ms=4 * HOUR_MS,
            now_ms=NOW_MS + number,
            expires_ms=NOW_MS + 9 * HOUR_MS if id == "lost" else None,
        )
    ledger.start("settled", NOW_MS)
    ledger.settle(
        "settled", NOW_MS, NOW_MS + 90 * 60_000, shares={"x": 1, "y": 2}, now_ms=NOW_MS + HOUR_MS
    )
    ledger.start("lost", NOW_MS)
    ledger.release("never", NOW_MS, "no such partition")
    ledger.expire(NOW_MS + 9 * HOUR_MS)
    ledger.adjust("child", -HOUR_MS, "a fault", NOW_MS, "refund", refunds="settled")
    ledger.adjust("lab", 5, "by hand", NOW_MS, "fix")
    ledger.reading(
        "lab", id="read", used_ms=9 * HOUR_MS, at_ms=NOW_MS + DAY_MS, now_ms=NOW_MS + DAY_MS
    )
    ledger.book_saving("saved", "child", "run", "cache", HOUR_MS, "the result was there", NOW_MS)
    ledger.change_account(replace(CHILD, limits=(weekly(25 * HOUR_MS),)), NOW_MS + DAY_MS)
    if any(account.name == "old" for account in ledger.accounts()):
        ledger.remove_account("old", NOW_MS + DAY_MS)


def everything(ledger: Ledger) -> dict[str, Any]:
    """All that the ledger says."""
    assert ledger.check() == ()
    now_ms = NOW_MS + DAY_MS
    return {
        "accounts": ledger.accounts(),
        "versions": [ledger.account_versions(name) for name in ("lab", "child", "old")],
        "reservations": ledger.reservations(open_only=False),
        "charges": ledger.charges(),
        "shares": [ledger.shares(line.id) for line in ledger.charges()],
        "notes": (ledger.readings(), ledger.lots(), ledger.savings()),
        "balances": [ledger.balance(name, now_ms) for name in ("lab", "child")],
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a disk: a kill does not need a slow one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def fresh(path: Path, disk: Disk) -> None:
    with Ledger(path, disk=disk) as ledger:
        for account in (LAB, CHILD, OLD):
            ledger.add_account(account, NOW_MS)


def killed_before(statement: int, path: Path, disk: Disk) -> bool:
    """Work in a process that is killed before its `statement`-th change; False if it came to its
    end first."""
    child = os.fork()
    if child == 0:
        try:
            left = statement
            ledger = Ledger(path, disk=disk)

            def count(sql: str) -> None:
                nonlocal left
                if sql.lstrip().startswith(READS):
                    return
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            ledger._file._connection.set_trace_callback(count)
            work(ledger)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("disk", "step"), [(Disk(), 1), (Disk("nfs4"), 2)])
def test_a_kill_before_any_change_leaves_a_sound_ledger_that_can_go_on(
    folder: Path, disk: Disk, step: int
) -> None:
    """Edges 10, 11, 12, 13, 14 and 15, in the ledger."""
    fresh(folder / "right.db", disk)
    with Ledger(folder / "right.db", disk=disk) as ledger:
        work(ledger)
        right = everything(ledger)
    statement, path = 1, folder / "ledger.db"
    while True:
        fresh(path, disk)
        killed = killed_before(statement, path, disk)
        with Ledger(path, disk=disk) as ledger:
            everything(ledger)
            work(ledger)
            assert everything(ledger) == right
        for left in folder.glob("ledger.db*"):
            left.unlink()
        if not killed:
            break
        statement += step
    assert statement > 70
