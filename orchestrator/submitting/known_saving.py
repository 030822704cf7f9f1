"""What a plan saves whose results are all there, so that nothing is submitted."""

from __future__ import annotations

import hashlib

from budget.ledger import Ledger
from budget.ledger.saving import Saving
from orchestrator.forecasts.charge import cost_of, makers
from orchestrator.state.state import State
from orchestrator.submitting.judging import Prepared
from orchestrator.views.figures import amount


def known_saving(prepared: Prepared, state: State, now_ms: int) -> Saving | None:
    """What the earlier attempts were charged, to be booked on the plan's account.

    None where nobody knows. However often the same plan is submitted, it has the same id, and so
    it is booked once.
    """
    if prepared.account is None or not prepared.all_known:
        return None
    costs: dict[str, tuple[int, int]] = {}
    for expected in prepared.expected:
        if expected.job.devices and expected.result is not None:
            attempt = expected.result.attempt
            costs[attempt] = cost_of(state, attempt, prepared.account.name) or (0, 0)
    amount_ms = sum(charged_ms for charged_ms, _ in costs.values())
    if not amount_ms:
        return None
    spent = amount(amount_ms, prepared.account.unit)
    paid = ", ".join(
        makers(name, attempts) for name, (charged_ms, attempts) in costs.items() if charged_ms
    )
    return Saving(
        id=f"known.{hashlib.sha256(' '.join(sorted(costs)).encode()).hexdigest()[:24]}",
        account=prepared.account.name,
        owner=f"{prepared.graph.name}/",
        kind="refused",
        amount_ms=amount_ms,
        derivation=f"nothing submitted: {paid} had the same results for {spent}",
        at_ms=now_ms,
    )


def book_known(ledger: Ledger, prepared: Prepared, state: State, now_ms: int) -> str:
    """Book it; the words for it, empty where there is nothing to book. Raises LedgerError."""
    saving = known_saving(prepared, state, now_ms)
    if saving is None:
        return ""
    ledger.book_saving(
        saving.id,
        saving.account,
        saving.owner,
        saving.kind,
        saving.amount_ms,
        saving.derivation,
        saving.at_ms,
    )
    saved = amount(saving.amount_ms, prepared.account.unit if prepared.account else "device")
    return f"{saved} of {saving.account} saved: they are not spent again"
