"""From a plan file to a run that may be queued: everything that can be refused is refused here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import format_clock
from budget.instant import format_instant
from budget.ledger import Ledger
from budget.ledger.balance import Balance
from orchestrator.baselines.book import Book
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.group import Group
from orchestrator.devices import find_devices
from orchestrator.forecasts.forecasting import forecast_planned, forecast_queue
from orchestrator.forecasts.history import History, Kind
from orchestrator.graph import Graph, Job
from orchestrator.plans.checked import checked
from orchestrator.plans.differences import Record
from orchestrator.plans.fitting import Fit, fit, needs_of
from orchestrator.plans.ingredients import Ingredients, KeptIngredients
from orchestrator.plans.only_folds import only_folds
from orchestrator.plans.preview import Expectation, preview
from orchestrator.plans.reasons import KeptPast
from orchestrator.plans.ways import Way, ways
from orchestrator.settings import Settings, SettingsError
from orchestrator.state.state import State
from orchestrator.submitting.results import has_files, wrong_with
from orchestrator.submitting.usable import EXECUTORS, DoesNotFit, usable_account
from orchestrator.views.baselines import planned_comparisons
from skint.errors import SkintError

NO_SETTINGS = Settings()


@dataclass(frozen=True)
class Prepared:
    """A plan that could be submitted, and what would come of it."""

    path: str
    """Of the plan, as the user wrote it."""
    graph: Graph
    account: Account | None
    expected: tuple[Expectation, ...]
    balance: Balance | None
    fit: Fit | None = None
    """None where it needs no account."""
    ways: tuple[Way, ...] = ()
    """What would fit, where it does not."""
    ingredients: Mapping[str, Ingredients] = field(default_factory=dict)
    """Of the jobs' static keys, by key."""
    devices: int = 0
    """Accelerators of this machine, where the plan would use any."""
    compared: Mapping[str, tuple[Group, Comparison]] = field(default_factory=dict)
    """By group of folds that it trains: what it would be compared with."""
    settled: tuple[str, ...] = ()
    """Keys that the plan leaves open and the person's settings say."""

    @property
    def all_known(self) -> bool:
        """Every result of it is there already."""
        return all(e.what == "reused" for e in self.expected)


def prepare(
    path: str,
    state: State,
    ledger: Ledger,
    now_ms: int,
    *,
    sets: Sequence[str] = (),
    account: str | None = None,
    cpu_only: bool = False,
    again: bool = False,
    folds: Collection[int] | None = None,
    remembered: Path | None = None,
    kept: Path | None = None,
    keys: Path | None = None,
    settings: Settings = NO_SETTINGS,
) -> Prepared:
    """Load, expand and check a plan. Raises PlanError and what the plan's parts raise.

    `remembered` keeps what was found in files of code for the next time (`plans.parsed`), `kept`
    what plans came to (`plans.checked`); in `keys` stands what earlier keys were made of
    (`plans.ingredients`). `settings` say what the plan leaves open.
    """
    made = checked(path, sets, account, settings, remembered=remembered, kept=kept)
    graph, ingredients, settled = made.graph, made.ingredients, made.settled
    if folds is not None:
        graph = only_folds(graph, folds)
    known = {known.name: known for known in ledger.accounts()}
    costs = any(job.devices for job in graph.jobs) and not cpu_only
    source, devices = find_devices() if costs else ("declared", ())
    needs_account = graph.account is not None and not cpu_only
    used = known.get(graph.account or "")
    if needs_account and "account" in settled and used is None:
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
            devices if any(job.devices for job in graph.jobs) else None,
            source,
            partial(_account_error, path, sets, account),
            f"skint run {path} --cpu-only does the rest",
        )
    history = History({device.uuid: device.name for device in devices}).update(state)

    def kind_for(job: Job) -> Kind | None:
        """Of the devices here if all are alike, else of those that the account gave last."""
        alike = len({device.name for device in devices}) == 1
        if used is not None and used.executor in EXECUTORS and alike:
            return history.kind_of(used.executor, [devices[0].uuid] * job.devices)
        return history.usual_kind(used.name, job.devices) if used is not None else None

    expected = preview(
        graph,
        state,
        cpu_only=cpu_only,
        again=again,
        wrong_with=wrong_with,
        history=history,
        kind_for=kind_for,
        past=_past(ingredients, keys),
    )
    digests = {one.job.id: one.digest or "" for one in expected}
    compared = planned_comparisons(Book().update(state), graph, digests)
    if used is None:
        return Prepared(
            path,
            graph,
            None,
            expected,
            None,
            ingredients=ingredients,
            compared=compared,
            settled=settled,
        )
    balance = ledger.balance(used.name, now_ms)
    queued = forecast_queue(state, used, now_ms, history)
    fits = fit(needs_of(expected, used), balance, queued.waiting_ms, now_ms)
    found: list[Way] = []
    if fits.short is not None:
        sizes = {job.params.get("size") for run in state.runs.values() for job in run.graph.jobs}
        found = ways(
            fits,
            graph,
            used,
            lambda changed, job: forecast_planned(changed, job, history, kind_for(job)),
            [size for size in sizes if type(size) is int],
        )
    return Prepared(
        path,
        graph,
        used,
        expected,
        balance,
        fits,
        tuple(found),
        ingredients,
        len(devices),
        compared,
        settled,
    )


def _account_error(
    path: str, sets: Sequence[str], account: str | None, what: str, **parts: Any
) -> SkintError:
    """An error that stands where the plan names its account."""
    from orchestrator.plans.plan import load_plan  # only for a mistake

    return load_plan(path, sets, account).error(("account",), what, **parts)


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


def refuse_if_it_does_not_fit(prepared: Prepared, *, park: bool = False) -> None:
    """Raise DoesNotFit, with numbers and ways out, if it will probably use more than is left.

    With `park` it may use the hours of several windows; what fits in none is refused all the same.
    """
    if prepared.fit is None or prepared.account is None:
        return
    _refuse_what_never_fits(prepared, prepared.fit, prepared.account)
    short, limit = prepared.fit.short, prepared.fit.limit
    if park or short is None or limit is None:
        return
    unit = prepared.account.unit
    path = prepared.path
    over_ms = prepared.fit.likely_ms - prepared.fit.free_ms
    until = ""
    if limit.next_gain_ms is not None:
        until = f" until {format_instant(limit.next_gain_ms, limit.limit.window.zone)}"
    free = f"{format_amount(max(0, prepared.fit.free_ms), unit)} are free{until}"
    too_much = f"{format_amount(over_ms, unit, exact=True)} too much"
    rows = [(way.option, way.what, f"{way.cost}  {way.later}".rstrip()) for way in prepared.ways]
    rows.append(("--cpu-only", f"skint run {path} --cpu-only does the rest now", ""))
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    raise DoesNotFit(
        f"{prepared.graph.name} {needed(prepared.fit, unit)} on {prepared.account.name},"
        f" {free}: {too_much}; they run out in {short.need.job.id}",
        next="\n          ".join(
            f"{option.ljust(widths[0])}  {what.ljust(widths[1])}  {cost}".rstrip()
            for option, what, cost in rows
        ),
    )


def needed(fit: Fit, unit: str) -> str:
    """ "needs 9.60 h (8.90–10.80)", or "reserves 5.00 h" where nothing better is known."""
    likely = format_amount(fit.likely_ms, unit)
    if not fit.known:
        return f"reserves {likely}"
    low, high = (format_amount(ms, unit).split(" ")[0] for ms in (fit.low_ms, fit.high_ms))
    return f"needs {likely} ({low}–{high})"


def _refuse_what_never_fits(prepared: Prepared, fit: Fit, account: Account) -> None:
    """A job that no window, or no session, has the hours for, and that cannot be cut."""
    if fit.too_big is not None and prepared.balance is not None:
        whole = format_amount(prepared.balance.whole_ms, account.unit)
        raise DoesNotFit(
            f"{fit.too_big.job.id} reserves {format_amount(fit.too_big.reserve_ms, account.unit)},"
            f" {account.name} never has more than {whole}",
            where=prepared.path,
            next="a shorter limit in the plan, or a job that resumes, with at-edge: park",
        )
    longest_ms = account.session.max_ms
    for need in fit.needs:
        if longest_ms is not None and need.job.wall_limit_ms > longest_ms and not need.job.parks:
            raise DoesNotFit(
                f"{need.job.id} may take {format_clock(need.job.wall_limit_ms)}, a session of"
                f" {account.name} lasts {format_clock(longest_ms)} at most",
                where=prepared.path,
                next="a shorter limit in the plan, or a job that resumes, with at-edge: park",
            )
