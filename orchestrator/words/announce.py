"""Which events are worth words, who is told them, and how: pure.

The head of a run is edited whenever something that it says has changed; what a person may want to
read later is a reply; what they may have to act on, and the end, is an alert. Keys are made of the
events alone, so that telling the same events again tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from budget.ledger.balance import Balance
from notifiers.base import Notice
from orchestrator.events import events as e
from orchestrator.forecasts.forecasting import Queue
from orchestrator.state.state import RunState, State
from orchestrator.views.run.seen import Seen
from orchestrator.words.digest import digest
from orchestrator.words.headline import head
from orchestrator.words.notifying import told_places
from orchestrator.words.outside import Outside
from orchestrator.words.pacing import Pacing
from orchestrator.words.place import for_place
from orchestrator.words.quota import alerts
from orchestrator.words.redaction import hidden_of, redacted
from orchestrator.words.teller import Teller, is_told

_IN_HEAD = (
    e.RunSubmitted,
    e.AttemptStarted,
    e.MetricsReported,
    e.AttemptUnreachable,
    e.AttemptReached,
    e.VerdictGiven,
    e.VerdictAnswered,
    e.StopAsked,
    e.JobsResumed,
    e.JobsPaused,
    e.JobsUnpaused,
    e.JobsRetried,
    e.JobEnded,
    e.RunEnded,
)
"""Kinds of events that change what a head says. Progress within a job does not: it would be an
edit a second."""
_PAID = (e.AllocationSettled, e.AllocationReleased, e.AllocationRefused)
_COSTING = (e.RunSubmitted, e.AllocationStarted, e.MetricsReported, *_PAID)
"""What changes the hours that are used, or how many will be; so does the end of a job that would
have used some."""


Balances = Callable[[Iterable[str]], Mapping[str, Balance]]
"""What is left on accounts; asked when it matters."""


def notices(
    events: Sequence[e.Event],
    state: State,
    balances: Balances = lambda accounts: {},
    outside: Outside | None = None,
    queues: Callable[[str], Queue | None] = lambda account: None,
    pacing: Pacing | None = None,
) -> list[tuple[str, Notice]]:
    """(notifier's name, notice) for what `events`, which led to `state`, are worth telling.

    `balances` let the heads say what is left, and whoever is concerned that it is little; `queues`
    tells what is still to run on an account. `pacing` knows when long runs were told last; without
    one everything is told at once.
    """
    if not events:
        return []
    outside, pacing = outside or Outside(), pacing or Pacing()
    of_runs: dict[str, list[e.Event]] = {}
    for event in events:
        if event.run:
            of_runs.setdefault(event.run, []).append(event)
    found: list[tuple[str, Notice]] = []
    digests: dict[str, Notice] = {}
    for name, own in of_runs.items():
        run = state.runs[name]
        has_head = _has_new_head(run, own) and pacing.admits(run, own[-1])
        if has_head or any(is_told(run, event) for event in own):
            _tell(_Telling(run, own, state, balances, outside, has_head), found, digests)
    if any(_costs(event, state) for event in events):
        accounts = {state.runs[name].graph.account for name in of_runs}
        left = balances(account for account in accounts if account)
        asked = {name: queue for name in left if (queue := queues(name)) is not None}
        found += alerts(state, left, asked, events[-1].at_ms)
    return found + list(digests.items())


def late_heads(
    state: State, now_ms: int, balances: Balances, outside: Outside, pacing: Pacing
) -> list[tuple[str, Notice]]:
    """Heads that `pacing` has kept back until now."""
    found: list[tuple[str, Notice]] = []
    for change in pacing.due(state, now_ms):
        run = state.runs[change.run]
        _tell(_Telling(run, [change], state, balances, outside, True, words=False), found, {})
    return found


@dataclass(frozen=True)
class _Telling:
    """What is to be said of a run."""

    run: RunState
    events: Sequence[e.Event]
    state: State
    balances: Balances
    outside: Outside
    has_head: bool
    words: bool = True

    def notices(self, zone: str) -> list[Notice]:
        """With the times on the clock of `zone`."""
        seen = Seen(self.run, self.events[-1].at_ms, self.state.runs)
        told: list[Notice] = []
        if self.has_head:
            account = self.run.graph.account
            left = self.balances([account]) if account else {}
            told.append(head(self.run, seen.whole, self.events, left, zone))
        for event in self.events if self.words else ():
            if is_told(self.run, event):
                told += Teller(seen, event.at_ms, zone, self.outside).tell(event)
        return told


def _tell(telling: _Telling, found: list[tuple[str, Notice]], digests: dict[str, Notice]) -> None:
    """Add what each place of the run gets of it."""
    hidden = hidden_of([telling.run.graph], telling.outside.environ)
    told: dict[str, list[Notice]] = {}
    for place in told_places(telling.run.graph):
        zone = place.manner.zone
        if zone not in told:
            told[zone] = [redacted(notice, hidden) for notice in telling.notices(zone)]
        shown = [got for one in told[zone] if (got := for_place(one, place)) is not None]
        found += [(place.name, notice) for notice in shown]
        later = digest(telling.state, place, shown)
        if later is not None:
            digests[place.name] = redacted(later, hidden)


def _costs(event: e.Event, state: State) -> bool:
    if isinstance(event, e.JobEnded):
        return state.runs[event.run].graph.job(event.job).devices > 0
    return isinstance(event, _COSTING)


def _has_new_head(run: RunState, events: Sequence[e.Event]) -> bool:
    """The last head of a run waits until all is paid: it says what is left for good."""
    if run.live:
        return any(_changes_head(run, event) for event in events)
    if run.open_allocations:
        return False
    return any(_changes_head(run, event) or isinstance(event, _PAID) for event in events)


def _changes_head(run: RunState, event: e.Event) -> bool:
    if isinstance(event, e.JobWaited):
        return is_told(run, event)
    return isinstance(event, _IN_HEAD)
