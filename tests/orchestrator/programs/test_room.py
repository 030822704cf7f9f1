"""Whether a program's reservation fits, and what would if it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.ledger import Ledger
from budget.ledger.balance import Balance
from orchestrator.graph import Job
from orchestrator.programs.room import Room, room_for
from orchestrator.submitting.usable import DoesNotFit

HOUR_MS = 3_600_000
NOW_MS = 1_790_000_000_000


@pytest.fixture
def balances(tmp_path: Path) -> dict[Account, Balance]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        for name, hours in (("lab", 3), ("spare", 8)):
            account = Account(name, "simulated", "local", (weekly(hours * HOUR_MS),))
            ledger.add_account(account, NOW_MS)
        return {one: ledger.balance(one.name, NOW_MS) for one in ledger.accounts()}


def room(balances: dict[Account, Balance], job: Job, queued_ms: int = 0) -> Room:
    lab = next(account for account in balances if account.name == "lab")
    return room_for(job, lab, balances[lab], queued_ms, balances)


def job(hours: float, devices: int = 1, **more: object) -> Job:
    return Job("program", "program", argv=("true",), devices=devices, limit_s=hours * 3600, **more)  # type: ignore[arg-type]


def test_what_fits_reserves_its_limit_and_its_grace_on_each_device(
    balances: dict[Account, Balance],
) -> None:
    found = room(balances, job(1, devices=2))
    assert found.reserve_ms == 2 * (HOUR_MS + 32_000)
    assert found.free_ms == 3 * HOUR_MS


def test_what_is_queued_before_it_is_not_free(balances: dict[Account, Balance]) -> None:
    room(balances, job(2))
    with pytest.raises(DoesNotFit) as refused:
        room(balances, job(2), queued_ms=2 * HOUR_MS)
    assert "1 h 00 min 00.000 s are free" in refused.value.what
    assert "2.00 h that are queued" in refused.value.what


def test_each_way_out_that_is_named_is_one(balances: dict[Account, Balance]) -> None:
    with pytest.raises(DoesNotFit) as refused:
        room(balances, job(2.5, devices=2))
    ways = str(refused.value.next)
    minutes = re.search(r"--for (\d+)m", ways)
    assert minutes is not None
    room(balances, job(int(minutes[1]) / 60, devices=2))
    with pytest.raises(DoesNotFit):  # no longer time would fit
        room(balances, job((int(minutes[1]) + 1) / 60, devices=2))
    assert "--devices 1" in ways
    room(balances, job(2.5, devices=1))
    assert "--account spare" in ways
    assert "--park" in ways
    room(balances, job(2.5, devices=2, resumes=True, at_edge="park"))


def test_what_never_fits_is_not_put_off(balances: dict[Account, Balance]) -> None:
    with pytest.raises(DoesNotFit) as refused:
        room(balances, job(20))
    assert "later" not in str(refused.value.next)
    assert "--account" not in str(refused.value.next)
