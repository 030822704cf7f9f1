"""The run that a command names."""

from __future__ import annotations

from difflib import get_close_matches

from orchestrator.state import RunState, State
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
        wanted = near or [*state.runs][-NEWEST:]
        raise RunNotFound(
            f"there is no run {name}", wanted=", ".join(wanted) or None, next="skint status"
        )
    return found
