"""When the hours of an account run low: said once in each of its windows. Pure.

That it was said is known by its key, made of the limit, its window and the level: the outbox takes
a key once, and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from budget.amount import format_amount
from budget.duration import HOUR_MS
from budget.instant import format_instant
from budget.ledger.balance import Balance, LimitBalance
from budget.windows import PerSession, Rolling
from notifiers.base import Notice
from orchestrator.forecasts.forecasting import Queue
from orchestrator.state.state import RunState, State
from orchestrator.words.notifying import told_places
from orchestrator.words.place import for_place

LEVELS_PERCENT = (95, 80, 50)
"""Of what a window has; settled, in flight and foreign hours count, reserved ones do not."""
SHORT_MS = HOUR_MS
"""A forecast that is short by less is not told: it is that uncertain."""


def alerts(
    state: State,
    balances: Mapping[str, Balance],
    queues: Mapping[str, Queue],
    now_ms: int,
) -> list[tuple[str, Notice]]:
    """(notifier's name, notice) for each place that a live run of these accounts tells.

    `queues` by account: what is still to run there.
    """
    found: list[tuple[str, Notice]] = []
    for run in state.live_runs():
        balance = balances.get(run.graph.account or "")
        if not run.live or balance is None:
            continue
        said = [*_levels(run, balance, now_ms)]
        queue = queues.get(balance.account)
        if queue is not None:
            said += _short(run, balance, queue, now_ms)
        for place in told_places(run.graph):
            shown = [for_place(notice, place) for notice in said]
            found += [(place.name, notice) for notice in shown if notice is not None]
    return found


def _levels(run: RunState, balance: Balance, now_ms: int) -> Iterator[Notice]:
    for limit in _counted(balance):
        used_ms = limit.amount_ms - limit.free_ms - limit.reserved_ms - limit.kept_back_ms
        reached = [level for level in LEVELS_PERCENT if used_ms * 100 >= level * limit.amount_ms]
        if reached:
            used = format_amount(used_ms, limit.unit)
            of = format_amount(limit.amount_ms, limit.unit)
            title = f"{reached[0]} % of {_name(limit, balance)} is used: {used} of {of}"
            yield _notice(run, limit, str(reached[0]), title, (_left(limit),), now_ms)


def _short(run: RunState, balance: Balance, queue: Queue, now_ms: int) -> Iterator[Notice]:
    """Where even the lower end of the forecast does not fit, so that nothing is said of what is
    not measured yet."""
    for limit in _counted(balance):
        left_ms = limit.free_ms + queue.held_ms
        if queue.low_ms <= left_ms or queue.likely_ms < left_ms + SHORT_MS:
            continue
        missing_ms = [ms - left_ms for ms in (queue.low_ms, queue.high_ms)]
        low, high = (format_amount(ms, limit.unit).split()[0] for ms in missing_ms)
        short = format_amount(queue.likely_ms - left_ms, limit.unit)
        between = f" ({low}–{high})" if low != high else ""
        jobs = "1 job" if queue.jobs == 1 else f"{queue.jobs} jobs"
        title = f"{_name(limit, balance)} is short by {short}{between} for {jobs} that run or wait"
        yield _notice(run, limit, "short", title, (_left(limit),), now_ms)


def _counted(balance: Balance) -> list[LimitBalance]:
    return [
        limit
        for limit in balance.limits
        if not limit.limit.unlimited
        and limit.amount_ms > 0
        and limit.limit.window.kind != PerSession.kind
    ]


def _name(limit: LimitBalance, balance: Balance) -> str:
    several = sum(other.account == limit.account for other in balance.limits) > 1
    name = f"{limit.account} ({limit.limit.name})" if several else limit.account
    return f"{name} (simulated)" if balance.simulated else name


def _left(limit: LimitBalance) -> str:
    left = f"{format_amount(limit.free_ms, limit.unit)} left"
    if limit.reserved_ms:
        left += f", {format_amount(limit.reserved_ms, limit.unit)} reserved"
    if limit.next_gain_ms is None:
        return left
    return f"{left}; hours come back {format_instant(limit.next_gain_ms, limit.limit.window.zone)}"


def _notice(
    run: RunState,
    limit: LimitBalance,
    what: str,
    title: str,
    lines: tuple[str, ...],
    now_ms: int,
) -> Notice:
    window = limit.limit.window
    # A rolling window begins anew at every moment: one of its length is taken for it.
    since = now_ms // window.length_ms if isinstance(window, Rolling) else limit.window.start_ms
    return Notice(
        run=run.name,
        topic="alert",
        key=f"quota/{limit.account}/{limit.limit.name}/{since}/{what}",
        title=title,
        lines=lines,
        about="quota",
        at_ms=now_ms,
    )
