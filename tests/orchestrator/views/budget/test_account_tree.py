"""Sub-budgets stand under their parents."""

from __future__ import annotations

from orchestrator.views.budget.account_tree import in_tree
from tests.orchestrator.views.balances import account


def test_a_sub_budget_stands_under_its_parent_and_one_deeper() -> None:
    accounts = [
        account(name="thesis", parent="lab"),
        account(name="lab"),
        account(name="zoo"),
        account(name="alpha", parent="zoo"),
        account(name="night", parent="thesis"),
        account(name="course", parent="lab"),
    ]
    assert [(depth, made.name) for depth, made in in_tree(accounts)] == [
        (0, "lab"),
        (1, "course"),
        (1, "thesis"),
        (2, "night"),
        (0, "zoo"),
        (1, "alpha"),
    ]


def test_one_whose_parent_is_not_shown_stands_alone() -> None:
    assert [depth for depth, _ in in_tree([account(name="thesis", parent="lab")])] == [0]
