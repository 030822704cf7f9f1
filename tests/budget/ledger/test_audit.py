"""The ledger's check of itself finds what somebody has changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.duration import HOUR_MS
from budget.ledger import Ledger

NOW_MS = 1_795_219_200_000
GUARDS = ("line_kept", "line_fixed", "share_kept", "share_fixed", "reservation_kept")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Charges of every kind, on a sub-budget; one reservation is open."""
    with Ledger(":memory:") as opened:
        for name, parent in (("lab", ""), ("child", "lab")):
            opened.add_account(
                Account(name, "machine", "local", (weekly(30 * HOUR_MS),), parent=parent), NOW_MS
            )
        for number, id in enumerate(("settled", "expired", "released", "open")):
            opened.reserve(
                id=id,
                account="child",
                owner="run",
                devices=1,
                amount_ms=HOUR_MS,
                now_ms=NOW_MS,
                expires_ms=NOW_MS + 1 if id == "expired" else None,
            )
            if number < 2:
                opened.start(id, NOW_MS)
        opened.settle("settled", NOW_MS, NOW_MS + 9, shares={"x": 1, "y": 1}, now_ms=NOW_MS)
        opened.release("released", NOW_MS, "never began")
        opened.expire(NOW_MS + HOUR_MS)
        opened.adjust("child", 5, "by hand", NOW_MS, "more")
        opened.adjust("child", -3, "a fault", NOW_MS, "less", refunds="settled")
        yield opened


def said_after(ledger: Ledger, *statements: str) -> str:
    """What the check says after somebody got round the guards."""
    connection = ledger._file._connection
    connection.execute("PRAGMA foreign_keys = 0")
    connection.execute("PRAGMA ignore_check_constraints = 1")
    for guard in GUARDS:
        connection.execute(f"DROP TRIGGER {guard}")
    connection.execute("DROP TRIGGER reservation_fixed")
    for statement in statements:
        assert connection.execute(statement).rowcount != 0
    return "\n".join(ledger.check())


def test_a_sound_ledger_agrees_with_itself(ledger: Ledger) -> None:
    assert ledger.check() == ()
    assert len(ledger.charges()) == 5


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE line SET amount_ms = 8 WHERE id = 'settled'", "charges 8 ms for what costs 9 ms"),
        (
            "UPDATE line SET amount_ms = 8 WHERE id = 'settled'",
            "the shares of line settled add up to 9 ms, not to 8 ms",
        ),
        ("UPDATE line SET amount_ms = 8 WHERE id = 'settled'", "its lines"),
        ("UPDATE line SET amount_ms = 1 WHERE id = 'released'", "released and charges 1 ms"),
        ("UPDATE line SET owner = 'other' WHERE id = 'expired'", "line expired is not of the"),
        ("DELETE FROM line WHERE id = 'expired'", "expired is closed and has no line"),
        ("DELETE FROM reservation WHERE id = 'settled'", "settled (settled) had no reservation"),
        (
            "UPDATE reservation SET closed_ms = NULL WHERE id = 'settled'",
            "settled is open and has a line",
        ),
        ("UPDATE reservation SET closed_ms = 5 WHERE id = 'open'", "open is closed and has no"),
        ("UPDATE line SET id = 'open' WHERE id = 'more'", "open (adjustment) stands for a"),
        ("DELETE FROM share WHERE line = 'settled'", "add up to None ms, not to 9 ms"),
        ("UPDATE share SET amount_ms = 4 WHERE attempt = 'x'", "the shares of line"),
        ("UPDATE line SET amount_ms = -10 WHERE id = 'less'", "less refunds more than settled"),
        ("UPDATE line SET reach = 3 WHERE id = 'more'", "more is filed under the wrong length"),
        ("UPDATE total SET amount_ms = amount_ms - 1 WHERE account = 'lab'", "the total of lab"),
        ("DELETE FROM total WHERE account = 'child'", "the total of child"),
        ("DELETE FROM account WHERE name = 'lab'", "names a account that is not there"),
    ],
)
def test_whatever_is_changed_is_named(ledger: Ledger, statement: str, said: str) -> None:
    assert said in said_after(ledger, statement)
