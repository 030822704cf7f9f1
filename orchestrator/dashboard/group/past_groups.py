"""What a group is compared with, found without reading all runs: those on the same folds are looked
for by their rows, read a few at a time, and only what they came to is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from orchestrator.baselines.book import NO_FOLDS, Book
from orchestrator.baselines.comparing import Asked, compared
from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.group import Candidate, candidate_of, group_of, groups_of
from orchestrator.graph import Job
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store

AT_ONCE = 25
"""Runs that are in memory at the same time."""
MOST_TRIED = 100
"""Of the newest runs so many are asked for one that tells why nothing can be compared."""

Found = tuple[Candidate | str, ...]
"""Of each group of a run what it came to, or why it cannot be compared."""


class PastGroups:
    """Of one store. Says the same as `orchestrator.baselines.book`, but of the groups that are
    refused only the newest; may be asked by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Found]] = {}
        """By run, with its newest event."""
        self._file = 0

    def comparison(self, store: Store, state: State, run: RunState, job: Job) -> Comparison:
        """What the group of `job` may be compared with; `state` has its run, and those that its
        reused results come from. Raises as a store does."""
        asked = Book().update(state).asked(run, group_of(run.graph, job))
        with self._lock:
            file = store.path.stat().st_ino
            if file != self._file:  # another store has taken its place
                self._file, self._known = file, {}
            chosen = store.runs(set(store.past.chosen())).runs.values()
            picked = sorted(
                (one for one in chosen if one.baseline_ms is not None),
                key=lambda one: one.baseline_ms or 0,
                reverse=True,
            )
            names = {*_alike(store, asked), *(one.name for one in picked)}
            found = [*self._candidates(store, names)]
            comparison = self._compared(asked, found, picked)
            if comparison.baseline is None:
                found += self._newest(store, asked, names)
                comparison = self._compared(asked, found, picked)
            return comparison

    def _compared(
        self, asked: Asked, found: Iterable[Candidate], chosen: Sequence[RunState]
    ) -> Comparison:
        ordered = sorted(found, key=lambda one: (one.submitted_ms, one.run))
        return compared(asked, ordered, chosen, self._why_none)

    def _why_none(self, run: RunState) -> str:
        _, found = self._known.get(run.name, (0, ()))
        return next((why for why in found if isinstance(why, str)), NO_FOLDS)

    def _candidates(self, store: Store, names: set[str]) -> Iterator[Candidate]:
        last = store.past.last_events(names)
        fresh = [name for name in names if self._known.get(name, (-1,))[0] != last[name]]
        for first in range(0, len(fresh), AT_ONCE):
            some = set(fresh[first : first + AT_ONCE])
            state = store.runs(some)
            for name in some & state.runs.keys():
                self._known[name] = last[name], _found(state.runs[name], state)
        for name in names:
            _, found = self._known.get(name, (0, ()))
            yield from (one for one in found if isinstance(one, Candidate))

    def _newest(self, store: Store, asked: Asked, but: set[str]) -> Sequence[Candidate]:
        """Those of the newest run that has any and is not known to be alike."""
        names = [name for name in store.past.newest(MOST_TRIED) if name not in {*but, asked.run}]
        for first in range(0, len(names), AT_ONCE):
            found = [*self._candidates(store, set(names[first : first + AT_ONCE]))]
            if found:
                return found
        return ()


def _alike(store: Store, asked: Asked) -> tuple[str, ...]:
    given = asked.given
    if given is None or not given.known:
        return ()
    return store.past.alike(given.split.digest, given.folds)


def _found(run: RunState, state: State) -> Found:
    found = (candidate_of(run, group, state.runs) for group in groups_of(run.graph))
    return tuple(_smaller(one) if isinstance(one, Candidate) else one for one in found)


def _smaller(candidate: Candidate) -> Candidate:
    """Without all that its folds have reported."""
    folds = tuple(replace(fold, reports=(), scores=()) for fold in candidate.finished.folds)
    return replace(candidate, finished=replace(candidate.finished, folds=folds))
