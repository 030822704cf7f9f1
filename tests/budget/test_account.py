from __future__ import annotations

import json
from typing import Any

import pytest

from budget.account import Account, AccountError
from budget.account_json import account_from_json, account_to_json
from budget.duration import HOUR_MS
from budget.limit import weekly
from budget.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_json(name: str) -> None:
    assert account_from_json(account_to_json(PRESETS[name])) == PRESETS[name]


def test_the_presets_are_what_their_platforms_grant() -> None:
    gpu, tpu = preset("kaggle-gpu"), preset("kaggle-tpu")
    assert gpu.limits == (weekly(30 * HOUR_MS, "sat", "00:00", "UTC"),)
    assert tpu.limits == (weekly(20 * HOUR_MS, "sat", "00:00", "UTC"),)
    assert gpu.executor == tpu.executor == "kaggle"
    assert preset("simulated").kind == "simulated"
    assert [name for name in PRESETS if PRESETS[name].kind == "simulated"] == ["simulated"]


def test_a_session_costs_its_time_once_and_devices_cost_it_each() -> None:
    assert preset("kaggle-gpu").cost_ms(devices=2, duration_ms=HOUR_MS) == HOUR_MS
    assert preset("simulated").cost_ms(devices=2, duration_ms=HOUR_MS) == 2 * HOUR_MS


def test_a_preset_can_have_another_name() -> None:
    mine = preset("simulated", called="mine")
    assert (mine.name, mine.kind) == ("mine", "simulated")


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AccountError) as caught:
        preset("kaggle")
    assert caught.value.wanted is not None and "kaggle-gpu" in caught.value.wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_ms": -1},
        {"amount_ms": 1.5},
        {"amount_ms": True},
        {"amount_ms": 10**15},
        {"resets_on": "saturday"},
        {"resets_at": "24:00"},
        {"resets_at": "0:00"},
        {"resets_at": 0},
        {"zone": "Mars/Olympus"},
        {"zone": 3},
    ],
)
def test_a_limit_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AccountError) as caught:
        weekly(**{"amount_ms": HOUR_MS, **wrong})
    assert caught.value.exit_code == 2
    assert caught.value.got == str(next(iter(wrong.values())))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "my account"},
        {"name": "-rf"},
        {"kind": "free"},
        {"unit": "epoch"},
        {"executor": ""},
        {"limits": ()},
    ],
)
def test_an_account_with_wrong_values_is_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {
        "name": "mine",
        "kind": "machine",
        "executor": "local",
        "limits": (weekly(HOUR_MS),),
    }
    Account(**right)
    with pytest.raises(AccountError):
        Account(**{**right, **wrong})


def test_json_of_another_version_or_with_other_keys_is_refused() -> None:
    right = json.loads(account_to_json(PRESETS["simulated"]))
    for wrong in (
        {**right, "version": 3},
        {**right, "colour": "red"},
        {key: value for key, value in right.items() if key != "kind"},
        {**right, "limits": [{**right["limits"][0], "window": "rolling"}]},
        {**right, "limits": {}},
        [right],
    ):
        with pytest.raises(AccountError):
            account_from_json(json.dumps(wrong))
    with pytest.raises(AccountError):
        account_from_json('{"version": 1')
