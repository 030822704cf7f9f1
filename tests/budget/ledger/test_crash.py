"""kill -9 of a process that has the ledger open, then opening it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger

NOW_MS = 1_790_000_000_000

WRITER = """
import sys
from pathlib import Path
from budget.ledger import Ledger

now_ms = int(sys.argv[2])
with Ledger(Path(sys.argv[1])) as ledger:
    for number in range(100_000):
        id, at_ms = f"a{number}", now_ms + 10 * number
        ledger.reserve(
            id=id, account="simulated", owner="run", devices=1, amount_ms=9, now_ms=at_ms
        )
        print("reserved", number, flush=True)
        ledger.start(id, at_ms)
        print("started", number, flush=True)
        ledger.settle(id, at_ms, at_ms + 7, shares={"x": 1, "y": 1}, now_ms=at_ms + 7)
        print("settled", number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 3, 20, 61])
def test_after_a_kill_what_was_answered_stands_and_the_rest_can_be_asked_again(
    tmp_path: Path, lines: int
) -> None:
    """Edges 10, 11 and 15: killed before a reservation is written, after it, and while settling."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.add_account(preset("simulated"), NOW_MS)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(NOW_MS)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    heard = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    heard += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    answered = [line.split() for line in heard if line.endswith("\n")]

    with Ledger(path) as ledger:
        charged = {charge.id for charge in ledger.charges()}
        known = {row.id: row for row in ledger.reservations(open_only=False)}
        for verb, told in answered:
            assert f"a{told}" in known
            if verb == "started":
                assert known[f"a{told}"].start_ms == NOW_MS + 10 * int(told)
            if verb == "settled":
                assert f"a{told}" in charged
        assert len(ledger.reservations()) == len(known) - len(charged) <= 1

        # A restart re-issues everything it knows of; nothing is charged twice.
        for number in range(len(known)):
            id, at_ms = f"a{number}", NOW_MS + 10 * number
            ledger.reserve(
                id=id, account="simulated", owner="run", devices=1, amount_ms=9, now_ms=at_ms
            )
            ledger.start(id, at_ms)
            ledger.settle(id, at_ms, at_ms + 7, shares={"x": 1, "y": 1}, now_ms=at_ms + 7)
            assert ledger.shares(id) == {"x": 4, "y": 3}
        balance = ledger.balance("simulated", NOW_MS)
        assert (balance.settled_ms, balance.reserved_ms) == (7 * len(known), 0)
        assert balance.free_ms == 30 * HOUR_MS - 7 * len(known)
        assert ledger.charged_by("run") == {"x": 4 * len(known), "y": 3 * len(known)}
