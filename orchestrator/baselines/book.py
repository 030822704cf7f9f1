"""The finished groups of a state, by what they were given. Pure, and cheap to ask again."""

from __future__ import annotations

from orchestrator.baselines.comparison import Comparison
from orchestrator.graph import Job
from orchestrator.state import RunState, State


class Book:
    """Remembers what it read of runs that have not changed, as `orchestrator.history` does."""

    def update(self, state: State) -> Book:
        """Take in `state`; itself, so that it can be used at once."""
        raise NotImplementedError

    def comparison(self, run: RunState, job: Job) -> Comparison:
        """What the group of `job`, any of its folds, may be compared with."""
        raise NotImplementedError


def comparable(state: State, run: RunState, group: str) -> Comparison:
    """The same without a book, for a screen that asks once."""
    raise NotImplementedError
