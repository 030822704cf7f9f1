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

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger, OverBudget

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
from budget.accounts.limit import weekly
from budget.accounts.presets import preset
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


def spawned(code: str, path: Path, who: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(who), str(NOW_MS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def test_of_rival_processes_on_a_ledger_none_has_made_yet_exactly_as_many_win_as_fit(
    tmp_path: Path,
) -> None:
    """Edge 21: all of them see what is left, in processes."""
    path = tmp_path / "ledger.db"
    rivals = [spawned(RIVAL, path, who) for who in range(4)]
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


TREE = """
import random, sys, threading
from pathlib import Path
from budget.accounts.account import Account
from budget.duration import HOUR_MS
from budget.ledger import Ledger, OverBudget

path, who, now_ms = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
failures = []

def live(number):
    # Reserve, and let end in one way or another, now and then.
    dice, mine = random.Random(f"{who}-{number}"), []
    for step in range(25):
        if not mine or dice.random() < 0.6:
            id = f"{who}-{number}-{step}"
            amount_ms = dice.randrange(1, 7 * HOUR_MS)
            try:
                ledger.reserve(id=id, account=dice.choice(["lab", "a", "b", "a1"]), owner="run",
                               devices=1, amount_ms=amount_ms, now_ms=now_ms)
                mine.append((id, amount_ms))
            except OverBudget:
                pass
            continue
        id, amount_ms = mine.pop(dice.randrange(len(mine)))
        if dice.random() < 0.3:
            ledger.release(id, now_ms, "never began")
        else:
            ledger.start(id, now_ms)
            end_ms = now_ms + dice.randrange(amount_ms + 1)
            for _ in range(2):
                ledger.settle(id, now_ms, end_ms, shares={"x": 1, "y": 2}, now_ms=end_ms)

def guarded(number):
    try:
        live(number)
    except BaseException as error:
        failures.append(repr(error))

print("ready", flush=True)
sys.stdin.readline()
with Ledger(path) as ledger:
    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("\\n".join(failures), file=sys.stderr, end="")
"""


def test_rivals_on_a_tree_of_accounts_never_overdraw_any_of_them(tmp_path: Path) -> None:
    """Edges 21 and 25: threads and processes, several accounts, parents and sub-budgets."""
    path = tmp_path / "ledger.db"
    tree = {"lab": (40, ""), "a": (25, "lab"), "b": (25, "lab"), "a1": (15, "a")}
    with Ledger(path) as ledger:
        for name, (hours, parent) in tree.items():
            limits = (weekly(hours * HOUR_MS, "mon"),)
            ledger.add_account(Account(name, "machine", "local", limits, parent=parent), NOW_MS)
        rivals = [spawned(TREE, path, who) for who in range(3)]
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        for rival in rivals:
            assert rival.stdin is not None
            rival.stdin.write("go\n")
            rival.stdin.flush()
        while any(rival.poll() is None for rival in rivals):
            for name in tree:
                balance = ledger.balance(name, NOW_MS)
                assert min(limit.free_ms for limit in balance.limits) >= 0
        assert [rival.communicate()[1] for rival in rivals] == [""] * 3
        assert ledger.check() == ()
        lines, open_rows = ledger.charges(), ledger.reservations()
        # How many fit depends on who comes first; it must be enough for rivals to have met.
        assert len(lines) > 10 and len({line.account for line in lines}) == 4
        for name, (hours, _) in tree.items():
            below = {"lab": set(tree), "a": {"a", "a1"}}.get(name, {name})
            used_ms = sum(line.amount_ms for line in lines if line.account in below)
            used_ms += sum(row.amount_ms for row in open_rows if row.account in below)
            assert used_ms <= hours * HOUR_MS
            assert ledger.balance(name, NOW_MS).limits[0].used_ms == used_ms
