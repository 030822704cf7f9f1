"""A store that lives in memory: the interface of `orchestrator.store.store`, its tables in lists.

What one `keep` writes stands whole or not at all, as in the file. Nothing is made durable, and
events are kept as objects: `events_as_text` says what the file would hold.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence

from notifiers.base import Notice
from orchestrator import commands as c
from orchestrator.events import events as e
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.store.inbox import Reply


class MemoryStore:
    def __init__(self, seed: int = 0) -> None:
        """Stores that stand on one ledger must have different seeds: ids of runs come of it."""
        self._dice = random.Random(seed)
        self._events: list[e.Event] = []
        self._state = State()
        self._cursors: dict[str, int] = {}
        self._commands: dict[str, c.Command] = {}
        self._open: dict[str, None] = {}
        self._replies: dict[str, Reply] = {}
        self.notices: list[tuple[str, Notice]] = []

    def close(self) -> None:
        """Nothing to close."""

    # --- the scheduler writes -----------------------------------------------------------------

    def keep(
        self,
        events: Sequence[e.Event],
        state: State,
        *,
        cursors: Mapping[str, int] | None = None,
        notices: Sequence[tuple[str, Notice]] = (),
    ) -> None:
        """Append `events`, which led to `state`, with everything that belongs to them."""
        if not events and not cursors:
            return
        self._events.extend(events)
        self._state = state
        self._cursors.update(cursors or {})
        for event in events:
            if isinstance(event, e.CommandAnswered) and event.command in self._open:
                del self._open[event.command]
                self._replies[event.command] = Reply(event.ok, event.text)
        self.notices.extend(notices)

    # --- everybody reads ----------------------------------------------------------------------

    def state(self) -> State:
        return self._state

    def replayed(self) -> State:
        """The state projected from the events alone, each as the file would give it back."""
        return apply_all(State(), (event for _, event in self.events_as_text()))

    def events(self, after: int = 0, run: str | None = None) -> Iterator[tuple[int, e.Event]]:
        """Events in order, with their ids, which begin with 1; of one run if it is named."""
        for id in range(after + 1, len(self._events) + 1):
            event = self._events[id - 1]
            if run is None or event.run == run:
                yield id, event

    def events_as_text(self, after: int = 0) -> Iterator[tuple[int, e.Event]]:
        """As `events`, each written as JSON and read again."""
        for id, event in self.events(after):
            text = json.dumps(e.to_json(event), allow_nan=False)
            yield id, e.from_json(type(event).__name__, json.loads(text))

    def last_event(self) -> int:
        return len(self._events)

    def cursors(self) -> dict[str, int]:
        return dict(self._cursors)

    # --- the inbox ----------------------------------------------------------------------------

    def ask(self, request: c.Request, now_ms: int, id: str | None = None) -> str:
        """Put a command into the inbox; its id. Asking again with the same id changes nothing."""
        id = id or f"{self._dice.getrandbits(128):032x}"
        if id not in self._commands:
            self._commands[id] = c.Command(id, now_ms, request)
            self._open[id] = None
        return id

    def unanswered(self) -> list[c.Command]:
        return [self._commands[id] for id in self._open]

    def reply(self, command: str) -> Reply | None:
        """The scheduler's answer, once there is one."""
        return self._replies.get(command)
