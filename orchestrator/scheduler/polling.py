"""What executors show of what was handed to them: how each submission stands, and new lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.clock import Clock
from orchestrator.events.standby import StandbyState
from orchestrator.executors.base import Executor, ExecutorUnreachable, Handle, Observation
from orchestrator.scheduler.actions import attempts_of, handle_of
from orchestrator.scheduler.inputs import Line
from orchestrator.scheduler.lines import parse_lines
from orchestrator.state.state import State

_log = logging.getLogger(__name__)

DISCOVER_EVERY_MS = 60_000


@dataclass(frozen=True)
class Polled:
    """One look at everything that is live."""

    observations: dict[str, Observation] = field(default_factory=dict)
    """By submission."""
    lines: list[Line] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    """How far the lines of each attempt were read, where that has moved."""


class Polling:
    """Asks the executors. It remembers how far it has read, but only what the store has kept."""

    def __init__(
        self, executors: Mapping[str, Executor], clock: Clock, cursors: Mapping[str, int]
    ) -> None:
        self.executors = executors
        self.clock = clock
        self._cursors = dict(cursors)
        self._discovered_ms: int | None = None

    def kept(self, cursors: Mapping[str, int]) -> None:
        """The store has what was read up to these."""
        self._cursors.update(cursors)

    def poll(self, state: State) -> Polled:
        """What is to be seen of the live attempts and of those that stand by."""
        polled = Polled()
        for name, handles in _handles(state).items():
            executor = self.executors[name]
            for submission, seen in executor.poll(handles).items():
                try:
                    read = self._read(state, executor, submission, seen)
                except ExecutorUnreachable as error:
                    polled.observations[submission] = Observation("unknown", error.what)
                    continue
                polled.observations[submission] = seen
                for attempt, (new, cursor) in read.items():
                    polled.lines.extend(new)
                    if cursor:
                        polled.cursors[attempt] = cursor
        return polled

    def discover(self) -> dict[str, tuple[Handle, ...]]:
        """What each executor runs of ours, known or not; nothing where it was asked lately."""
        now_ms = self.clock.now_ms()
        last_ms = self._discovered_ms
        # A clock that was set back must not put it off for as long.
        if last_ms is not None and 0 <= now_ms - last_ms < DISCOVER_EVERY_MS:
            return {}
        self._discovered_ms = now_ms
        found = {}
        for name, executor in self.executors.items():
            try:
                found[name] = tuple(executor.discover())
            except ExecutorUnreachable as error:
                _log.warning("%s cannot be asked what it runs: %s", name, error.what)
        return found

    def _read(
        self, state: State, executor: Executor, submission: str, seen: Observation
    ) -> dict[str, tuple[list[Line], int]]:
        """New lines by attempt. Of an ended attempt all of them, and what it left is collected."""
        run = state.runs[submission.split(".", 1)[0]]
        if submission in run.standbys:
            return _read_ahead(executor, run.standbys[submission])
        found = {}
        for attempt in attempts_of(run, submission):
            sight = seen.attempts.get(attempt.id)
            over = sight is not None and sight.condition in ("ended", "lost")
            if not attempt.live or not (over or executor.capabilities.live_events):
                continue
            folder = attempt.path
            cursor = self._cursors.get(attempt.id, 0)
            new: list[Line] = []
            while True:
                raw, after = executor.read(attempt.id, folder, cursor)
                new += parse_lines(raw, attempt.id)
                if after == cursor or not over:
                    cursor = after
                    break
                cursor = after
            if sight is not None and sight.condition == "ended":
                executor.collect(attempt.id, folder)
            if cursor != self._cursors.get(attempt.id, 0):
                found[attempt.id] = (new, cursor)
        return found


def _read_ahead(executor: Executor, standby: StandbyState) -> dict[str, tuple[list[Line], int]]:
    """All lines of what was started ahead, each time: they are the attempt's that it may
    become, and are read anew then. Few, and none once it is ready."""
    if standby.status != "running":
        return {}
    raw, _ = executor.read(standby.id, standby.path, 0)
    return {standby.id: (parse_lines(raw, standby.id), 0)}


def _handles(state: State) -> dict[str, list[Handle]]:
    found: dict[str, dict[str, Handle]] = {}
    for run, attempt in state.live_attempts():
        submission = attempt.allocation or attempt.id
        found.setdefault(attempt.executor, {})[submission] = handle_of(run, submission)
    for run, standby in state.live_standbys():
        found.setdefault(standby.executor, {})[standby.id] = handle_of(run, standby.id)
    return {name: list(handles.values()) for name, handles in found.items()}
