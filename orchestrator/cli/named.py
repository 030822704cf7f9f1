"""The run that a command names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_recent, read_run
from skint.errors import NOT_FOUND, SkintError

NEWEST = 5
"""Runs that are named where there is none that is meant."""


class RunNotFound(SkintError):
    exit_code = NOT_FOUND


def run_named(state: State, name: str) -> RunState:
    """Raises RunNotFound, which names the one that is nearest, or the newest ones."""
    found = state.runs.get(name)
    if found is None:
        near = get_close_matches(name, state.runs, n=1)
        newest = ", ".join([*state.runs][-NEWEST:])
        raise RunNotFound(
            f"there is no run {name}",
            got=name,
            wanted=newest or "a run; there is none yet",
            next=f"did you mean {near[0]}?" if near else "skint status",
        )
    return found


def read_named(home: Home, names: Iterable[str]) -> State:
    """These runs, and those that their reused results come from: the others are not read, however
    many there are. Raises RunNotFound."""
    found: dict[str, RunState] = {}
    for name in names:
        read = read_run(home.store, name).runs
        if name not in read:
            run_named(read_recent(home.store, NEWEST), name)
        found.update(read)
    return State(found)
