"""Which events are worth words, who is told them, and how: pure.

The head of a run is edited whenever something that it says has changed; what a person may want to
read later is a reply; what they may have to act on, and the end, is an alert. Keys are made of the
events alone, so that telling the same events again tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from budget.ledger.balance import Balance
from notifiers.base import Notice
from orchestrator import events as e
from orchestrator.forecasting import Queue
from orchestrator.state import RunState, State
from orchestrator.views.view import run_view
from orchestrator.words.digest import digest
from orchestrator.words.headline import head
from orchestrator.words.notifying import told_places
from orchestrator.words.outside import Outside
from orchestrator.words.place import for_place
from orchestrator.words.quota import alerts
from orchestrator.words.redaction import hidden_of, redacted
from orchestrator.words.teller import Teller

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
    e.JobEnded,
    e.RunEnded,
)
"""Kinds of events that change what a head says. Progress within a job does not: it would be an
edit a second."""
_PAID = (e.AllocationSettled, e.AllocationReleased, e.AllocationRefused)
_COSTING = (e.RunSubmitted, e.AllocationStarted, e.MetricsReported, e.JobEnded, *_PAID)
"""What changes the hours that are used, or how many will be."""
_WAITS_TOLD = ("over-budget", "group", "parked", "retry")


def notices(
    events: Sequence[e.Event],
    state: State,
    balances: Mapping[str, Balance] | None = None,
    outside: Outside | None = None,
    queues: Callable[[str], Queue | None] = lambda account: None,
) -> list[tuple[str, Notice]]:
    """(notifier's name, notice) for what `events`, which led to `state`, are worth telling.

    `balances` by account let the heads say what is left, and whoever is concerned that it is
    little; `queues` tells what is still to run on an account, and is asked when that may have
    changed.
    """
    outside, balances = outside or Outside(), balances or {}
    found: list[tuple[str, Notice]] = []
    digests: dict[str, Notice] = {}
    for name in dict.fromkeys(event.run for event in events if event.run):
        run = state.runs[name]
        own = [event for event in events if event.run == name]
        hidden = hidden_of([run.graph], outside.environ)
        told: dict[str, list[Notice]] = {}
        for place in told_places(run.graph):
            zone = place.manner.zone
            if zone not in told:
                said = _told(run, own, state, balances, outside, zone)
                told[zone] = [redacted(notice, hidden) for notice in said]
            shown = [got for one in told[zone] if (got := for_place(one, place)) is not None]
            found += [(place.name, notice) for notice in shown]
            later = digest(state, place, shown)
            if later is not None:
                digests[place.name] = redacted(later, hidden)
    if any(isinstance(event, _COSTING) for event in events):
        asked = {name: queue for name in balances if (queue := queues(name)) is not None}
        found += alerts(state, balances, asked, events[-1].at_ms)
    return found + list(digests.items())


def _told(
    run: RunState,
    events: Sequence[e.Event],
    state: State,
    balances: Mapping[str, Balance],
    outside: Outside,
    zone: str,
) -> list[Notice]:
    """All that is said of a run's new events, with the times on the clock of `zone`."""
    view = run_view(run, events[-1].at_ms, state.runs)
    told: list[Notice] = []
    if _has_new_head(run, events):
        told.append(head(run, view, events, balances, zone))
    for event in events:
        told += Teller(run, view, event.at_ms, zone, outside).tell(event)
    return told


def _has_new_head(run: RunState, events: Sequence[e.Event]) -> bool:
    """The last head of a run waits until all is paid: it says what is left for good."""
    if run.live:
        return any(_changes_head(event) for event in events)
    if any(allocation.open for allocation in run.allocations.values()):
        return False
    return any(_changes_head(event) or isinstance(event, _PAID) for event in events)


def _changes_head(event: e.Event) -> bool:
    if isinstance(event, e.JobWaited):
        return event.reason in _WAITS_TOLD
    return isinstance(event, _IN_HEAD)
