"""Many who reserve at once, in threads and in processes: as many win as fit."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from budget.duration import HOUR_MS
from budget.ledger import Ledger, OverBudget
from budget.presets import preset

NOW_MS = 1_790_000_000_000


def wins(ledger: Ledger, who: int, gate: threading.Barrier, tries: int = 15) -> int:
    gate.wait()
    won = 0
    for number in range(tries):
        try:
            ledger.reserve(
                id=f"{who}-{number}",
                account="simulated",
                owner="run",
                devices=1,
                amount_ms=HOUR_MS * 7 // 10,
                now_ms=NOW_MS,
            )
            won += 1
        except OverBudget:
            pass
    return won


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns much more often than they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize("shared", [True, False])
def test_of_rival_threads_exactly_as_many_win_as_fit(tmp_path: Path, shared: bool) -> None:
    """Edge 21: all of them see what is left, in threads."""
    path, gate = tmp_path / "ledger.db", threading.Barrier(6)
    with Ledger(path) as common:
        common.add_account(preset("simulated"), NOW_MS)

        def rival(who: int) -> int:
            if shared:
                return wins(common, who, gate)
            with Ledger(path) as own:
                return wins(own, who, gate)

        with ThreadPoolExecutor(6) as pool:
            won = sum(pool.map(rival, range(6)))
        assert won == len(common.reservations()) == 42
        assert common.balance("simulated", NOW_MS).free_ms == HOUR_MS * 6 // 10


RIVAL = """
import sys
from pathlib import Path
from budget.presets import preset
from budget.ledger import Ledger, OverBudget

path, who, now_ms = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
won = 0
with Ledger(path) as ledger:
    ledger.add_account(preset("simulated"), now_ms)
    for number in range(6):
        try:
            ledger.reserve(id=f"{who}-{number}", account="simulated", owner="run", devices=1,
                           amount_ms=4 * 3_600_000, now_ms=now_ms)
            won += 1
        except OverBudget:
            pass
print(won)
"""


def test_of_rival_processes_on_a_ledger_none_has_made_yet_exactly_as_many_win_as_fit(
    tmp_path: Path,
) -> None:
    """Edge 21: all of them see what is left, in processes."""
    path = tmp_path / "ledger.db"
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", RIVAL, str(path), str(who), str(NOW_MS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        for who in range(4)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    answers = [rival.communicate() for rival in rivals]
    assert [err for _, err in answers] == [""] * 4
    with Ledger(path) as ledger:
        assert sum(int(out) for out, _ in answers) == len(ledger.reservations()) == 7
        assert ledger.balance("simulated", NOW_MS).free_ms == 2 * HOUR_MS


def test_of_rival_settlements_one_is_the_charge_and_all_get_it(tmp_path: Path) -> None:
    """Edge 23: an exit handler and a reaper settle at once."""
    path, gate = tmp_path / "ledger.db", threading.Barrier(6)
    with Ledger(path) as first:
        first.add_account(preset("simulated"), NOW_MS)
        first.reserve(
            id="a", account="simulated", owner="run", devices=1, amount_ms=HOUR_MS, now_ms=NOW_MS
        )

        def settle(who: int) -> int:
            with Ledger(path) as ledger:
                gate.wait()
                return ledger.settle(
                    "a", NOW_MS, NOW_MS + 1 + who, shares={str(who): 1}, now_ms=NOW_MS
                ).amount_ms

        with ThreadPoolExecutor(6) as pool:
            amounts = set(pool.map(settle, range(6)))
        assert len(amounts) == 1
        assert sum(first.shares("a").values()) == amounts.pop()
        assert len(first.charges()) == 1
