"""A plan judged in this process, by the state, the ledger and the machine as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from budget.ledger import Ledger
from orchestrator.baselines.book import Book
from orchestrator.devices import find_devices
from orchestrator.forecasts.history import History
from orchestrator.plans.differences import Record
from orchestrator.plans.ingredients import Ingredients, KeptIngredients
from orchestrator.plans.reasons import KeptPast
from orchestrator.settings import SettingsError
from orchestrator.state.state import State
from orchestrator.submitting.asked import Asked
from orchestrator.submitting.judging import Grounds, Prepared, judge, with_ways
from orchestrator.submitting.results import has_files, wrong_with
from orchestrator.submitting.usable import usable_account


def prepare(asked: Asked, state: State, ledger: Ledger, now_ms: int) -> Prepared:
    """Read a plan and judge it. Raises what `Asked.read` does, and SkintError for an account that
    cannot be charged."""
    made = asked.read()
    graph = made.graph
    known = {known.name: known for known in ledger.accounts()}
    costs = any(job.devices for job in graph.jobs)
    devices = find_devices()[1] if costs and not asked.cpu_only else ()
    needs_account = graph.account is not None and not asked.cpu_only
    used = known.get(graph.account or "")
    if needs_account and "account" in made.settled and used is None:
        raise SettingsError(
            "the account that your settings name is not there",
            where="skint config get account",
            got=graph.account,
            wanted=", ".join(known) or "an account (there is none yet)",
            next="skint config set account NAME, or `account: NAME` in the plan",
        )
    if needs_account:
        used = usable_account(
            graph.account or "",
            known,
            devices if costs else None,
            partial(asked.error, ("account",)),
            f"skint run {asked.path} --cpu-only does the rest",
        )
    grounds = Grounds(
        state=state,
        now_ms=now_ms,
        history=History({device.uuid: device.name for device in devices}).update(state),
        book=Book(),
        wrong_with=wrong_with,
        account=used,
        balance=ledger.balance(used.name, now_ms) if used is not None else None,
        devices=devices,
    )
    judged = judge(
        graph,
        grounds,
        path=asked.path,
        cpu_only=asked.cpu_only,
        again=asked.again,
        past=_past(made.ingredients, asked.keys),
    )
    return replace(with_ways(judged, grounds), ingredients=made.ingredients, settled=made.settled)


def _past(ingredients: Mapping[str, Ingredients], keys: Path | None) -> KeptPast:
    """What this plan's keys are made of, and what was kept of earlier ones."""
    kept = KeptIngredients(keys) if keys is not None else None
    details = {
        digest: value for one in ingredients.values() for digest, value in one.details.items()
    }

    @cache
    def record(key: str) -> Record | None:
        if key in ingredients:
            return ingredients[key].record
        return kept.record(key) if kept is not None else None

    def detail(digest: str) -> Any:
        if digest in details:
            return details[digest]
        return kept.detail(digest) if kept is not None else None

    return KeptPast(record, detail, has_files)
