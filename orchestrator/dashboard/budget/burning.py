"""What the burn-down shows, read from the ledger and the store. For a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence

from budget.accounts.account import Account
from budget.duration import DAY_MS, HOUR_MS
from budget.ledger import Ledger
from budget.ledger.balance import LimitBalance
from budget.ledger.line import Reservation
from orchestrator.dashboard.reading.snapshot import AccountLimit, Screen
from orchestrator.forecasts.forecasting import Queue, forecast_queue
from orchestrator.forecasts.history import History
from orchestrator.home import Home
from orchestrator.state.state import State
from orchestrator.views.budget.burn_down import Burn

POINTS = 160
"""Instants at which the spent hours are read; the plot has about two dots for each."""
PAST_MS = 7 * DAY_MS
"""Of what never comes back by itself so much of the past is shown."""
AHEAD_MS = DAY_MS
"""At least so much of the time to come, where nothing says when hours come back."""


def read_burns(home: Home, screen: Screen, account: str, history: History) -> tuple[Burn, ...]:
    """One for each limit of the account that is summed up. Raises SkintError, sqlite3.Error."""
    shown = [one for one in screen.accounts if one.account.name == account]
    below = _below(account, [one.account for one in screen.accounts])
    queue = _queue(screen.state, below, screen.now_ms, history)
    with Ledger(home.ledger, read_only=True) as ledger:
        open_ones = ledger.open_reservations(account)
        return tuple(_burn(ledger, one, screen, queue, open_ones) for one in shown)


def _below(name: str, accounts: Sequence[Account]) -> list[Account]:
    """The account and its sub-budgets; they stand after it."""
    names, found = {name}, {}
    for account in accounts:
        if account.name in names or account.parent in names:
            names.add(account.name)
            found[account.name] = account
    return [*found.values()]


def _queue(
    state: State, accounts: Sequence[Account], now_ms: int, history: History
) -> Queue | None:
    queues = [forecast_queue(state, one, now_ms, history) for one in accounts]
    if not any(queue.jobs for queue in queues):
        return None
    return Queue(
        jobs=sum(queue.jobs for queue in queues),
        low_ms=sum(queue.low_ms for queue in queues),
        likely_ms=sum(queue.likely_ms for queue in queues),
        high_ms=sum(queue.high_ms for queue in queues),
        waiting_ms=sum(queue.waiting_ms for queue in queues),
        held_ms=sum(queue.held_ms for queue in queues),
        wall_ms=max(queue.wall_ms for queue in queues),
    )


def _burn(
    ledger: Ledger,
    shown: AccountLimit,
    screen: Screen,
    expected: Queue | None,
    open_ones: Sequence[Reservation],
) -> Burn:
    limit, now_ms = shown.limit, screen.now_ms
    start_ms, end_ms = span_of(limit, now_ms, expected)
    instants = [start_ms + (now_ms - start_ms) * n // POINTS for n in range(POINTS + 1)]
    charged = ledger.charged_by_then(shown.account.name, instants)
    reading = ledger.newest_reading(limit.account, limit.limit.name, now_ms)
    foreign_ms = reading.at_ms if reading is not None else now_ms
    spans = [span for one in open_ones if (span := one.span()) is not None]
    used = tuple(
        (
            at_ms,
            settled_ms
            + sum(span.between(start_ms, at_ms) for span in spans)
            + (limit.foreign_ms if at_ms >= foreign_ms else 0),
        )
        for at_ms, settled_ms in zip(instants, charged, strict=True)
    )
    return Burn(
        limit=limit,
        now_ms=now_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        used=used,
        committed=_committed(open_ones, used[-1][1], now_ms),
        expected=expected,
        dry=screen.outlook.dry.get((shown.account.name, limit.limit.name)),
    )


def span_of(limit: LimitBalance, now_ms: int, expected: Queue | None) -> tuple[int, int]:
    """What the plot shows: the window, where it has a beginning and an end."""
    start_ms, gain_ms = limit.window.start_ms, limit.next_gain_ms
    if start_ms <= 0:
        start_ms = now_ms - PAST_MS
    if gain_ms is not None and limit.limit.window.kind != "rolling":
        return min(start_ms, now_ms - HOUR_MS // 60), gain_ms
    queued_ms = expected.wall_ms if expected is not None else 0
    return min(start_ms, now_ms - HOUR_MS), now_ms + max(AHEAD_MS, queued_ms * 5 // 4)


def _committed(
    open_ones: Sequence[Reservation], used_ms: int, now_ms: int
) -> tuple[tuple[int, int], ...]:
    """If each reservation is used up: a line over their deadlines. What has not started counts as
    if it did now."""
    if not open_ones:
        return ()
    spans = []
    for one in open_ones:
        started_ms = one.start_ms if one.start_ms is not None else now_ms
        rest_ms = one.amount_ms - one.in_flight_ms(now_ms)
        ends_ms = max(now_ms, started_ms + -(-one.amount_ms * 1_000 // one.rate_milli))
        spans.append((ends_ms, rest_ms))
    line, total_ms = [(now_ms, used_ms)], used_ms
    for ends_ms, rest_ms in sorted(spans):
        total_ms += rest_ms
        line.append((ends_ms, total_ms))
    return tuple(line)
