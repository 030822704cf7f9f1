"""How old a reading is, in the same words wherever it is told."""

from __future__ import annotations

from dataclasses import replace

from budget.accounts.presets import preset
from budget.duration import DAY_MS
from budget.ledger.reading import Reading
from orchestrator.views.budget.reading_words import reading_age, reading_due

NOW_MS = 100 * DAY_MS
KAGGLE = preset("kaggle-gpu")


def reading(days: int, account: str = "kaggle-gpu") -> Reading:
    at_ms = NOW_MS - days * DAY_MS
    nothing = (None, None, None)
    return Reading(f"{days}", account, "weekly", 0, at_ms, *nothing, "manual", 0, at_ms)


def test_what_is_old_or_was_never_noted_says_what_to_type() -> None:
    assert reading_due(KAGGLE, [], NOW_MS).startswith("never read · ")
    assert reading_due(KAGGLE, [reading(9), reading(3)], NOW_MS) == (
        "read 3 d ago · skint ledger reading kaggle-gpu --used AMOUNT"
    )
    assert reading_due(KAGGLE, [reading(1)], NOW_MS) == ""
    assert reading_due(KAGGLE, [reading(1, "kaggle-tpu")], NOW_MS).startswith("never read")


def test_nobody_is_asked_to_read_what_counts_nothing() -> None:
    assert reading_age(preset("simulated"), None, NOW_MS) == ""
    assert reading_age(replace(KAGGLE, observe="none"), None, NOW_MS) == ""
