"""Hours that were not spent, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from budget.amount import format_amount
from budget.duration import SECOND_MS
from orchestrator.state.saving_state import SavingState
from orchestrator.views.figures import amount

_BY = {
    "cache": "by known results",
    "early-stop": "by stopping early",
    "refused": "by a smoke test that failed first",
    "parked": "by parking",
}


def kept(savings: Sequence[SavingState]) -> list[SavingState]:
    """Without those that were taken back, as the job went on after all, and what took them back."""
    undone = {saving.takes_back for saving in savings}
    return [saving for saving in savings if not saving.takes_back and saving.id not in undone]


def saved_words(savings: Iterable[SavingState]) -> str:
    """ "1.20 h saved by known results, 4 min 05 s by stopping early"; empty where it was less than
    a second."""
    sums_ms: dict[tuple[str, str], int] = {}
    for saving in savings:
        key = saving.kind, saving.unit
        sums_ms[key] = sums_ms.get(key, 0) + saving.amount_ms
    parts = [
        f"{amount(ms, unit)} {_BY.get(kind, kind)}"
        for (kind, unit), ms in sums_ms.items()
        if ms >= SECOND_MS
    ]
    return ", ".join(parts).replace(" by ", " saved by ", 1)


def saving_line(saving: SavingState) -> str:
    """ "0.75 h: fold 1 was stopped with likely 45 min to go, by 3 epochs of its own"."""
    return f"{amount(saving.amount_ms, saving.unit)}: {saving.derivation}"


def exactly(savings: Sequence[SavingState]) -> str:
    """All of a run's together, to the millisecond: they are on one account."""
    total_ms = sum(saving.amount_ms for saving in savings)
    return format_amount(total_ms, savings[0].unit if savings else "device", exact=True)
