"""What the ledger costs, beside bare SQLite doing the same writes in the same run.

    python benchmarks/ledger.py [REPEATS] [LINES]

1. Reserve and settle, durably, against two bare durable commits of the same rows. Both are timed in
   turn on the same disk, since a disk's flush varies more than all that the ledger does.
2. The balance of an account with LINES charges (1,000,000) and four limits, whose windows begin on
   the hour, within an hour, at any millisecond, and never; checked against a sum over all lines.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from budget.accounts.account import Account
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import preset
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.ledger import Ledger, total
from budget.windows import Calendar, Rolling, Unbounded, Window

SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC."""
COMMITS_BAR = 3.0
BALANCE_BAR_MS = 5.0

BARE = """
CREATE TABLE reservation (
    id TEXT PRIMARY KEY, account TEXT, owner TEXT, devices INTEGER, amount_ms INTEGER,
    reserved_at_ms INTEGER, closed_ms INTEGER
);
CREATE TABLE line (
    id TEXT PRIMARY KEY, kind TEXT, account TEXT, owner TEXT, start_ms INTEGER, end_ms INTEGER,
    devices INTEGER, amount_ms INTEGER, at_ms INTEGER, reason TEXT
);
"""

LIMITS = (
    weekly(10**11),
    Limit(10**11, Calendar("week", "mon", "03:45", "Asia/Kolkata"), "kolkata"),
    Limit(10**11, Rolling(7 * DAY_MS), "rolling"),
    Limit(3 * 10**11, Unbounded(), "in-all"),
)


def elapsed_ms(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - begun) * 1000


def commits(folder: Path, repeats: int) -> tuple[float, float]:
    """Medians in milliseconds: reserve + settle, and the two bare commits."""
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.executescript(BARE)
    ours_ms, bare_ms = [], []
    with Ledger(folder / "ledger.db") as ledger:
        ledger.add_account(preset("simulated"), SATURDAY_MS)
        for number in range(repeats):
            at_ms = SATURDAY_MS + 2000 * number
            ours_ms.append(elapsed_ms(_ours, ledger, f"a{number}", at_ms))
            bare_ms.append(elapsed_ms(_bare, bare, f"a{number}", at_ms))
    bare.close()
    return statistics.median(ours_ms), statistics.median(bare_ms)


def _ours(ledger: Ledger, id: str, at_ms: int) -> None:
    ledger.reserve(
        id=id, account="simulated", owner="run-1/", devices=1, amount_ms=HOUR_MS, now_ms=at_ms
    )
    ledger.settle(id, at_ms, at_ms + 999, shares={"run-1.train.1": 1}, now_ms=at_ms + 999)


def _bare(connection: sqlite3.Connection, id: str, at_ms: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO reservation VALUES (?, 'simulated', 'run-1/', 1, ?, ?, NULL)",
        (id, HOUR_MS, at_ms),
    )
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO line VALUES (?, 'settled', 'simulated', 'run-1/', ?, ?, 1, 999, ?, '')",
        (id, at_ms, at_ms + 999, at_ms + 999),
    )
    connection.execute("UPDATE reservation SET closed_ms = ? WHERE id = ?", (at_ms + 999, id))
    connection.execute("COMMIT")


def filled(path: Path, lines: int, weeks: int, longest_ms: int) -> int:
    """Make a ledger of `lines` charges of the last `weeks` weeks; its present time.

    They are spread evenly and are from a second to `longest_ms` long.
    """
    now_ms = SATURDAY_MS + 3 * DAY_MS + 12_345_678
    with Ledger(path) as ledger:
        ledger.add_account(Account("lab", "machine", "local", LIMITS), SATURDAY_MS)
    with sqlite3.connect(path) as connection:
        reaches = " ".join(f"WHEN length_ms <= {MINUTE_MS << n} THEN {n}" for n in range(9))
        connection.execute(
            "WITH RECURSIVE numbers (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM numbers"
            "  WHERE n + 1 < :lines),"
            " spans (n, start_ms, length_ms) AS (SELECT n,"
            "  :now - :longest - CAST((:lines - n) * (:span / :lines) AS INTEGER),"
            "  1000 + (n * 7919) % (:longest - 1000) FROM numbers)"
            " INSERT INTO line SELECT 'a' || n, 'settled', 'lab', 'run', start_ms,"
            "  start_ms + length_ms, 1, '', 1000, length_ms, length_ms, start_ms + length_ms, '',"
            f"  NULL, CASE {reaches} END FROM spans",
            {
                "lines": lines,
                "now": now_ms,
                "span": float(weeks * 7 * DAY_MS),
                "longest": longest_ms,
            },
        )
        connection.executemany(
            "INSERT INTO total VALUES (?, ?, ?, ?)",
            [(*key, amount_ms) for key, amount_ms in total.recount(connection).items()],
        )
    connection.close()
    return now_ms


def by_hand(path: Path, window: Window) -> int:
    """The charges in `window` by a look at every line."""
    connection = sqlite3.connect(path)
    (sum_ms,) = connection.execute(
        "SELECT sum(max(0, min(end_ms, ?) - max(start_ms, ?))) FROM line",
        (window.end_ms, window.start_ms),
    ).fetchone()
    connection.close()
    return int(sum_ms)


def main(repeats: int, lines: int) -> int:
    over = 0
    with tempfile.TemporaryDirectory() as name:
        ours_ms, bare_ms = commits(Path(name), repeats)
        ratio = ours_ms / bare_ms
        over += ratio > COMMITS_BAR
        print(f"reserve + settle     {ours_ms:8.3f} ms   median of {repeats}")
        print(f"two bare commits     {bare_ms:8.3f} ms")
        print(f"ratio                {ratio:8.2f}      bar {COMMITS_BAR}   {_verdict(ratio > 3)}")
        for weeks, longest_ms in ((104, 4 * HOUR_MS), (1, 10 * MINUTE_MS)):
            path = Path(name) / f"{weeks}.db"
            now_ms = filled(path, lines, weeks, longest_ms)
            with Ledger(path) as ledger:
                balance = ledger.balance("lab", now_ms)
                for limit in balance.limits:
                    if limit.settled_ms != by_hand(path, limit.window):
                        print(f"the balance of {limit.limit.name} is wrong")
                        over += 1
                median_ms = statistics.median(
                    elapsed_ms(ledger.balance, "lab", now_ms) for _ in range(repeats)
                )
            late = median_ms > BALANCE_BAR_MS
            over += late
            print(
                f"balance, 4 limits    {median_ms:8.3f} ms   bar {BALANCE_BAR_MS} ms"
                f"   {_verdict(late)}   {lines:,} lines in {weeks} week{'s' * (weeks > 1)}"
            )
            path.unlink()
    return 1 if over else 0


def _verdict(over: bool) -> str:
    return "over" if over else "ok"


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*arguments, *(301, 1_000_000)[len(arguments) :]))
