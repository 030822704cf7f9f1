"""What stands beside a group of jobs on its own screen, and is not in the state of what runs: the
run it is compared with, what differs in the recipe, what the ledger has charged, old events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from budget.ledger import Ledger
from orchestrator.baselines.group import Group, group_of
from orchestrator.dashboard.group.past_groups import PastGroups
from orchestrator.dashboard.reading.snapshot import EVENTS_KEPT, EventLine
from orchestrator.graph import Job
from orchestrator.home import Home
from orchestrator.plans.differences import differences, values_that_differ
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.scheduler.books import owner_of
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from orchestrator.views.comparing.baselines import sentence, trains
from orchestrator.words.telling import tell, tone


@dataclass(frozen=True)
class Beside:
    """Of one group of one run."""

    compared: str = ""
    """A sentence; empty for what is compared with nothing."""
    baseline: RunState | None = None
    baseline_group: Group | None = None
    differs: tuple[str, ...] = ()
    """From the baseline to this run: "train: lr 0.003 → 0.05"."""
    charged: Mapping[str, int] = field(default_factory=dict)
    """Milliseconds by attempt, by the ledger."""
    events: tuple[EventLine, ...] = ()
    """The last ones of the run, newest last."""


def read_beside(home: Home, run_name: str, job: Job, past: PastGroups) -> Beside:
    """For a thread of its own. Raises SkintError, sqlite3.Error, OSError."""
    with Store(home.store) as store, store.standing_still():
        return _read(home, store, run_name, job, past)


def _read(home: Home, store: Store, run_name: str, job: Job, past: PastGroups) -> Beside:
    state = store.runs({run_name})
    run = state.runs[run_name]
    newest = deque(store.events(run=run_name), maxlen=EVENTS_KEPT)
    events = tuple(
        EventLine(id, event.at_ms, event.run, text, tone(event))
        for id, event in newest
        if (text := tell(event, state)) is not None
    )
    with Ledger(home.ledger, read_only=True) as ledger:
        charged = ledger.charged_by(owner_of(run_name))
    group = group_of(run.graph, job)
    if job.fold is None or job.smoke or not trains(job):
        return Beside(charged=charged, events=events)
    comparison = past.comparison(store, state, run, job)
    found = Beside(sentence(comparison, group, over=not run.live), charged=charged, events=events)
    if comparison.baseline is None:
        return found
    baseline = store.runs({comparison.baseline.run}).runs[comparison.baseline.run]
    other = _group_named(baseline, comparison.baseline.group)
    return Beside(
        found.compared,
        baseline,
        other,
        recipe_differences(KeptIngredients(home.keys), baseline, run, other, group),
        charged,
        events,
    )


def _group_named(run: RunState, name: str) -> Group:
    return group_of(run.graph, run.graph.cells()[name][0])


def recipe_differences(
    kept: KeptIngredients, old: RunState, new: RunState, old_group: Group, group: Group
) -> tuple[str, ...]:
    """What was changed on the way from one group to the other: of its first fold, and of the jobs
    of the same name that both need."""
    pairs = [(old_group.jobs[0], group.jobs[0], group.name)]
    needed = {name: old.graph.job(name) for name in old.graph.ancestors(old_group.jobs[0].id)}
    pairs += [
        (needed[name], new.graph.job(name), name)
        for name in new.graph.ancestors(group.jobs[0].id)
        if name in needed
    ]
    return tuple(
        f"{name}: {words}" for was, now, name in pairs for words in _differ(kept, was, now)
    )


def _differ(kept: KeptIngredients, was: Job, now: Job) -> Iterator[str]:
    if was.static_key == now.static_key:
        return
    before, after = kept.record(was.static_key), kept.record(now.static_key)
    if before is not None and after is not None:
        yield from differences(before, after, kept.detail)
    else:
        yield from values_that_differ(was.params, now.params)


def state_with(state: State, beside: Beside) -> Mapping[str, RunState]:
    """The runs of a state and the baseline, for results that were reused from it."""
    if beside.baseline is None:
        return state.runs
    return {beside.baseline.name: beside.baseline, **state.runs}
