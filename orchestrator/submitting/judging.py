"""What would come of a plan, judged by what is known: pure, and it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from budget.accounts.account import Account
from budget.ledger.balance import Balance
from orchestrator.baselines.book import Book
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.group import Group
from orchestrator.executors.base import Device
from orchestrator.forecasts.forecasting import forecast_planned, forecast_queue
from orchestrator.forecasts.history import History, Kind
from orchestrator.forecasts.side import side_px
from orchestrator.graph import Graph, Job
from orchestrator.plans.fitting import Fit, fit, needs_of
from orchestrator.plans.ingredients import Ingredients
from orchestrator.plans.preview import Expectation, preview
from orchestrator.plans.reasons import NOTHING_KEPT, KeptPast
from orchestrator.plans.ways import Way, ways
from orchestrator.state.state import State
from orchestrator.views.comparing.baselines import planned_comparisons


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


@dataclass(frozen=True)
class Grounds:
    """What a plan is judged by, all of it of one moment."""

    state: State
    now_ms: int
    history: History
    book: Book
    wrong_with: Callable[[str], str]
    """Why an earlier result cannot be used; empty where it can."""
    account: Account | None
    """That would be charged; None where it needs none."""
    balance: Balance | None
    """Of that account."""
    devices: tuple[Device, ...]
    """Accelerators of this machine, where the plan would use any."""

    def kind_for(self, job: Job) -> Kind | None:
        """Of the devices here if all are alike, else of those that the account gave last."""
        if self.account is None:
            return None
        if len({device.name for device in self.devices}) == 1:
            uuids = [self.devices[0].uuid] * job.devices
            return self.history.kind_of(self.account.executor, uuids)
        return self.history.usual_kind(self.account.name, job.devices)


def judge(
    graph: Graph,
    grounds: Grounds,
    *,
    path: str = "",
    cpu_only: bool = False,
    again: bool = False,
    past: KeptPast = NOTHING_KEPT,
) -> Prepared:
    """`past` says what keys were made of, for the reasons why something would run again; `path` is
    the plan's, as the user wrote it. What would fit, where it does not, is left to `with_ways`."""
    state, account, history = grounds.state, grounds.account, grounds.history
    expected = preview(
        graph,
        state,
        cpu_only=cpu_only,
        again=again,
        wrong_with=grounds.wrong_with,
        history=history,
        kind_for=grounds.kind_for,
        past=past,
    )
    digests = {one.job.id: one.digest or "" for one in expected}
    compared = planned_comparisons(grounds.book.update(state), graph, digests)
    judged = Prepared(path, graph, account, expected, grounds.balance, compared=compared)
    if account is None or grounds.balance is None:
        return judged
    queued = forecast_queue(state, account, grounds.now_ms, history)
    needs = needs_of(expected, account)
    fits = fit(needs, grounds.balance, queued.waiting_ms, grounds.now_ms)
    return replace(judged, fit=fits, devices=len(grounds.devices))


def with_ways(judged: Prepared, grounds: Grounds) -> Prepared:
    """With what would fit, where it does not."""
    if judged.fit is None or judged.account is None or judged.fit.short is None:
        return judged
    sizes = {side_px(job) for run in grounds.state.runs.values() for job in run.graph.jobs}
    found = ways(
        judged.fit,
        judged.graph,
        judged.account,
        lambda graph, job: forecast_planned(graph, job, grounds.history, grounds.kind_for(job)),
        [px for px in sizes if px is not None],
    )
    return replace(judged, ways=tuple(found))
