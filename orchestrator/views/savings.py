"""Hours that were not spent, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.state import SavingState
from orchestrator.views.figures import amount

_BY = {
    "cache": "by known results",
    "early-stop": "by stopping early",
    "refused": "by a smoke test that failed first",
    "parked": "by parking",
}


def saved_words(savings: Iterable[SavingState]) -> str:
    """ "1.20 h saved by known results, 4 min 05 s by stopping early"; empty where nothing was."""
    sums_ms: dict[str, int] = {}
    for saving in savings:
        sums_ms[saving.kind] = sums_ms.get(saving.kind, 0) + saving.amount_ms
    parts = [f"{amount(ms)} {_BY.get(kind, kind)}" for kind, ms in sums_ms.items()]
    return ", ".join(parts).replace(" by ", " saved by ", 1)


def saving_line(saving: SavingState) -> str:
    """ "0.75 h: fold 1 was stopped with likely 45 min to go, by 3 epochs of its own"."""
    return f"{amount(saving.amount_ms)}: {saving.derivation}"
