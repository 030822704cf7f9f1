from __future__ import annotations

import json
from typing import Any

import pytest

from budget.accounts.account import Account, AccountError, Machine, Metering, Session
from budget.accounts.account_json import VERSION, account_from_json, account_to_json
from budget.accounts.limit import Limit
from budget.accounts.presets import PRESETS
from budget.duration import HOUR_MS
from budget.windows import Calendar, FirstUse, PerSession

FULL = Account(
    "full",
    "provider",
    "somewhere",
    (Limit(5, FirstUse(6), "first", assumed=True), Limit(7, PerSession(), "each")),
    unit="credit",
    machines=(Machine("T4", 1_190, 1),),
    session=Session(1, 2, 3),
    metering=Metering(2, 3, "call_start", "call_end", "measured"),
    keep_back_ms=4,
    overrun="billed",
    observe="manual",
    best_effort=True,
    parent="above",
)


@pytest.mark.parametrize("account", [*PRESETS.values(), FULL], ids=lambda account: account.name)
def test_every_account_survives_json(account: Account) -> None:
    text = account_to_json(account)
    assert account_from_json(text) == account
    assert "\n" not in text and json.loads(text)["version"] == VERSION == 2


OLD: dict[str, Any] = {
    "version": 1,
    "name": "kaggle-gpu",
    "kind": "provider",
    "executor": "kaggle",
    "charge_by": "session",
    "limits": [
        {
            "window": "weekly",
            "amount_ms": 30 * HOUR_MS,
            "resets_on": "sun",
            "resets_at": "02:30",
            "zone": "Europe/Berlin",
        }
    ],
}


def test_an_account_of_version_1_is_read() -> None:
    account = account_from_json(json.dumps(OLD))
    limit = Limit(30 * HOUR_MS, Calendar("week", "sun", "02:30", "Europe/Berlin"))
    assert account == Account("kaggle-gpu", "provider", "kaggle", (limit,), unit="session")


def test_two_limits_of_version_1_get_names_of_their_own() -> None:
    two = account_from_json(json.dumps({**OLD, "limits": [*OLD["limits"], *OLD["limits"]]}))
    assert [limit.name for limit in two.limits] == ["weekly", "weekly-2"]


RIGHT: dict[str, Any] = json.loads(account_to_json(FULL))


@pytest.mark.parametrize(
    "wrong",
    [
        {**RIGHT, "version": 3},
        {**RIGHT, "version": 0},
        {**RIGHT, "version": "2"},
        {**RIGHT, "colour": "red"},
        {key: value for key, value in RIGHT.items() if key != "kind"},
        {**RIGHT, "limits": [{**RIGHT["limits"][0], "window": "weekly"}]},
        {**RIGHT, "limits": {}},
        {**RIGHT, "limits": [7]},
        {**RIGHT, "machines": None},
        {**RIGHT, "machines": [{"name": "T4"}]},
        {**RIGHT, "session": {"max_ms": 1}},
        {**RIGHT, "metering": []},
        {**RIGHT, "keep_back_ms": "1h"},
        {**OLD, "limits": []},
        {**OLD, "limits": [{**OLD["limits"][0], "window": "rolling"}]},
        {**OLD, "unit": "device"},
        [RIGHT],
        None,
    ],
)
def test_json_that_is_no_account_is_refused(wrong: Any) -> None:
    with pytest.raises(AccountError):
        account_from_json(json.dumps(wrong))


def test_a_newer_version_says_so_and_torn_text_is_refused() -> None:
    with pytest.raises(AccountError) as caught:
        account_from_json(json.dumps({**RIGHT, "version": 3}))
    assert caught.value.next == "update skint"
    with pytest.raises(AccountError):
        account_from_json('{"version": 2')


def test_an_old_limit_keeps_the_checks_of_a_new_one() -> None:
    limits = [{**OLD["limits"][0], "zone": "Mars/Olympus"}]
    with pytest.raises(AccountError):
        account_from_json(json.dumps({**OLD, "limits": limits}))


@pytest.mark.parametrize(
    "wrong", [{"best_effort": 1}, {"best_effort": "no"}, {"parent": None}, {"parent": 3}]
)
def test_a_field_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AccountError):
        account_from_json(json.dumps(json.loads(account_to_json(FULL)) | wrong))
