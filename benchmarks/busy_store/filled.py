"""Fill a home with runs that ended and runs that go on."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.busy_store import past
from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.ledger import Ledger
from orchestrator.events import events as e
from orchestrator.home import Home
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.store.store import Store

BATCH_RUNS = 100
HOUR_MS = 3_600_000
FOLDS_LIVE = 5


def fill(home: Home, *, runs: int, events: int, live_jobs: int, now_ms: int) -> State:
    """The state of the runs that go on: `live_jobs` folds, five a run.

    There are at least as many events as asked for; runs that ended have as many folds as that
    takes. A week's account `lab` stands in the ledger with a correction for each hour.
    """
    live_runs = live_jobs // FOLDS_LIVE
    ended_runs = runs - live_runs
    folds = -(-events // ended_runs // (2 * past.EPOCHS + 14))
    made = past.graph("old", folds)
    with Store(home.store) as store:
        for first in range(0, ended_runs, BATCH_RUNS):
            numbers = range(first + 1, min(first + BATCH_RUNS, ended_runs) + 1)
            found: list[e.Event] = []
            for number in numbers:
                at_ms = now_ms - (ended_runs + 10 - number) * HOUR_MS
                found += past.ended_run(f"old-{number}", made, at_ms, str(home.runs))
            store.keep(found, apply_all(State(), found))
        state = State()
        for number in range(1, live_runs + 1):
            begun = [*_live(f"live-{number}", number, home, now_ms)]
            state = apply_all(state, begun)
            store.keep(begun, state)
    _write_ledger(home, now_ms)
    return state


def _live(run: str, number: int, home: Home, now_ms: int) -> Iterable[e.Event]:
    made = past.graph(f"live{number}", FOLDS_LIVE)
    at_ms = now_ms - HOUR_MS // 2
    yield past.submitted(run, made, at_ms)
    for job in made.jobs:
        if job.fold is None:
            yield from past.cpu_job(run, job.id, at_ms, str(home.runs))
            continue
        device = past.DEVICES[(number - 1) * FOLDS_LIVE + job.fold]
        yield from past.fold_begun(run, job.id, at_ms, str(home.runs), device, 4)


def _write_ledger(home: Home, now_ms: int) -> None:
    with Ledger(home.ledger) as ledger:
        limit = weekly(300 * HOUR_MS)
        account = Account("lab", "simulated", "simulated", limits=(limit,))
        ledger.add_account(account, now_ms - 8 * 24 * HOUR_MS)
        for hour in range(24):
            at_ms = now_ms - (24 - hour) * HOUR_MS
            ledger.adjust("lab", HOUR_MS, "as counted", now_ms, f"used-{hour}", at_ms=at_ms)
