from __future__ import annotations

from dataclasses import replace

import pytest

from budget.accounts.account import Machine
from budget.accounts.limit import UNLIMITED_MS, Limit, weekly
from budget.accounts.presets import PRESETS, preset
from budget.duration import HOUR_MS
from budget.windows import FirstUse, Lots, PerSession, Rolling, Unbounded
from orchestrator.views.budget.account_words import account_rows, limit_words, limits_words

NOW_MS = 1_795_300_000_000
"""Sat 21 Nov 2026."""


@pytest.mark.parametrize(
    ("limit", "unit", "words"),
    [
        (weekly(30 * HOUR_MS), "device", "30.00 h a week, next reset Sat 28 Nov 2026 00:00 UTC"),
        (Limit(HOUR_MS, Rolling(90_000_000)), "session", "1.00 h in any 1 d 1 h"),
        (Limit(210_000, FirstUse(86_400_000)), "session", "3 min 30 s in 1 d from the first use"),
        (Limit(0, Unbounded()), "device", "0.00 h in all"),
        (Limit(UNLIMITED_MS, Unbounded()), "device", "unlimited in all"),
        (Limit(HOUR_MS, PerSession(), assumed=True), "credit", "1.00 credits a session (assumed)"),
        (Limit(0, Lots(86_400_000)), "credit", "credits in lots of 1 d"),
        (Limit(0, Lots()), "device", "hours in lots"),
    ],
)  # fmt: skip
def test_a_limit_is_told_in_the_unit_of_its_account(limit: Limit, unit: str, words: str) -> None:
    assert limit_words(limit, unit, NOW_MS) == words


@pytest.mark.parametrize("name", PRESETS)
def test_every_field_of_every_preset_has_words_and_a_source(name: str) -> None:
    rows = account_rows(preset(name), NOW_MS)
    assert all(field and words for field, words, _ in rows)
    assert {source for *_, source in rows} <= {"yours", "provider", "measured", "assumed"}
    fields = [field for field, *_ in rows]
    assert len(fields) == len(set(fields)) >= 12 + len(preset(name).limits)


def test_several_limits_are_joined_because_all_must_admit() -> None:
    words = limits_words(preset("studio-lab"), NOW_MS)
    assert words == "4.00 h in 1 d from the first use and 4.00 h a session"


def test_a_guess_is_told_as_one_and_what_users_measured_as_that() -> None:
    sources = {field: source for field, _, source in account_rows(preset("colab-free"), NOW_MS)}
    assert sources["limit rolling"] == sources["machine T4"] == "assumed"
    paid = {field: source for field, _, source in account_rows(preset("colab-paid"), NOW_MS)}
    assert paid["machine T4"] == "measured"


def test_the_amount_of_a_part_is_yours_and_its_terms_are_the_provider_s() -> None:
    part = replace(preset("kaggle-gpu"), name="part", parent="kaggle-gpu")
    rows = {field: (words, source) for field, words, source in account_rows(part, NOW_MS)}
    assert rows["part of"] == ("kaggle-gpu", "yours")
    assert rows["limit weekly"][1] == "yours"
    assert rows["longest session"] == ("12 h", "provider")


def test_the_rate_of_a_machine_is_told_without_needless_digits() -> None:
    machines = (Machine("a", 1_190, 1), Machine("b", 5_400, 2), Machine("c", 80, 0))
    account = replace(preset("colab-paid"), machines=machines)
    rows = {field: words for field, words, _ in account_rows(account, NOW_MS)}
    assert [rows[f"machine {name}"] for name in "abc"] == [
        "1.19 credits an hour, 1 device",
        "5.4 credits an hour, 2 devices",
        "0.08 credits an hour, 0 devices",
    ]
