"""Rules as JSON objects and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from budget.accounts.definition import AccountError
from budget.windows import (
    KINDS,
    Calendar,
    FirstUse,
    Lots,
    PerSession,
    Rolling,
    Unbounded,
    WindowRule,
    rule_from_fields,
    rule_to_fields,
)

RULES: tuple[WindowRule, ...] = (
    Calendar("month", "31", "02:30", "Europe/Berlin"),
    Rolling(7),
    FirstUse(8),
    Lots(9),
    PerSession(),
    Unbounded(),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_a_rule_comes_back_from_json(rule: WindowRule) -> None:
    assert rule_from_fields(json.loads(json.dumps(rule_to_fields(rule)))) == rule


def test_every_kind_is_known_by_its_name() -> None:
    assert [rule.kind for rule in RULES] == [*KINDS]
    assert all(rule.zone for rule in RULES)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"kind": "weekly"},
        {"kind": "half-life", "length_ms": 5},
        {"kind": "rolling"},
        {"kind": "rolling", "length_ms": 0},
        {"kind": "rolling", "length_ms": 5, "zone": "UTC"},
        {"kind": "unbounded", "amount_ms": 5},
        {"kind": ["rolling"]},
    ],
)
def test_what_is_no_rule_is_refused(wrong: Any) -> None:
    with pytest.raises(AccountError):
        rule_from_fields(wrong)
