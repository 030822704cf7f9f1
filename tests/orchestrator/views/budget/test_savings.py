"""Hours that were not spent, in words."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.state.saving_state import SavingState
from orchestrator.views.budget.savings import saved_words


def saving(amount_ms: int, kind: str = "cache") -> SavingState:
    return SavingState("s", "train.fold0", "lab", "device", kind, amount_ms, "why", 0)


def test_what_is_less_than_a_second_is_not_told() -> None:
    assert saved_words([saving(999)]) == ""
    assert saved_words([saving(999), saving(2_000, "early-stop")]) == "2 s saved by stopping early"
    assert saved_words([saving(600), replace(saving(600), id="t")]) == "1 s saved by known results"
