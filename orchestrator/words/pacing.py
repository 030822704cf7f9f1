"""How often the head of a long run is told anew.

To say how a run stands takes a look at all its jobs. A run of ten thousand short ones, of which
several end each second, would cost more to be talked about than to be run; so its head follows at
a distance, which the console and Slack do not notice.
"""

from __future__ import annotations

from orchestrator.events.events import Event
from orchestrator.state.state import RunState, State

FEW = 30
"""A run of so many jobs is told anew whenever something has changed."""
JOB_MS = 3
"""Of a longer one a head may follow the last one after as much for each of its jobs."""


class Pacing:
    """When each run was told last, and what has been kept back since."""

    def __init__(self) -> None:
        self._told_ms: dict[str, int] = {}
        self._kept_back: dict[str, Event] = {}
        """The newest change of those whose head is not told yet."""

    @property
    def keeps_back(self) -> bool:
        return bool(self._kept_back)

    def admits(self, run: RunState, change: Event) -> bool:
        """Whether the head is told now; if not, `change` is kept back. The last one always is."""
        if run.live and len(run.jobs) > FEW and not self._is_due(run, change.at_ms):
            self._kept_back[run.name] = change
            return False
        self._kept_back.pop(run.name, None)
        self._told_ms[run.name] = change.at_ms
        if not run.live:
            del self._told_ms[run.name]
        return True

    def due(self, state: State, now_ms: int) -> list[Event]:
        """What was kept back of runs that are told now."""
        names = [name for name in self._kept_back if self._is_due(state.runs[name], now_ms)]
        found = [self._kept_back.pop(name) for name in names]
        self._told_ms |= dict.fromkeys(names, now_ms)
        return found

    def next_ms(self, state: State) -> int | None:
        """When something that is kept back may be told."""
        return min(
            (
                self._told_ms.get(name, 0) + JOB_MS * len(state.runs[name].jobs)
                for name in self._kept_back
            ),
            default=None,
        )

    def _is_due(self, run: RunState, now_ms: int) -> bool:
        told_ms = self._told_ms.get(run.name)
        # A clock that was set back must not silence it for as long.
        return told_ms is None or not 0 <= now_ms - told_ms < JOB_MS * len(run.jobs)
