"""Workers that are started ahead of their devices: what happens to them, and what is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from orchestrator.events.event import Event


@dataclass(frozen=True)
class StandbyState:
    """A worker that was started ahead. No attempt of its job, unless it gets devices."""

    id: str
    job: str
    fence: int
    key: str
    folder: str
    executor: str
    cpus: int
    """Cores that it will use as an attempt; before it is ready it takes one."""
    mem_mb: int
    wait_s: float
    previous: str | None = None
    status: Literal["planned", "accepted", "running", "ready"] = "planned"
    started_ms: int | None = None
    ready_ms: int | None = None
    dropped: str = ""
    """Why it is not wanted any more; empty while it is."""
    told: bool = False
    """It has been told to end."""

    @cached_property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def prepared_ms(self) -> int | None:
        """What it took to get ready; None before it is."""
        if self.started_ms is None or self.ready_ms is None:
            return None
        return max(0, self.ready_ms - self.started_ms)

    @property
    def usable(self) -> bool:
        """Whether it can be given devices: it is known to run."""
        return self.status in ("running", "ready") and not self.dropped


@dataclass(frozen=True, kw_only=True)
class StandbyPlanned(Event):
    """A worker is started ahead for a job that waits for devices. It is no attempt, and costs
    nothing, until `AttemptPlanned` of the same name gives it an allocation."""

    job: str
    attempt: str
    """Its name, and that of the attempt it may become."""
    fence: int
    key: str
    folder: str
    executor: str
    cpus: int
    mem_mb: int
    wait_s: float
    """So long it waits for devices at most."""
    previous: str | None = None


@dataclass(frozen=True, kw_only=True)
class StandbyAccepted(Event):
    attempt: str


@dataclass(frozen=True, kw_only=True)
class StandbyStarted(Event):
    attempt: str
    started_ms: int


@dataclass(frozen=True, kw_only=True)
class StandbyReady(Event):
    """It has done all that needs no device."""

    attempt: str
    ready_ms: int


@dataclass(frozen=True, kw_only=True)
class StandbyDropped(Event):
    """It is not wanted any more, and told to end."""

    attempt: str
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class StandbyEnded(Event):
    """It has ended without devices: no failure, no try of its job, no charge."""

    attempt: str
    by_itself: bool
    """Nobody wanted it to: its job is not started ahead again."""
    sentence: str
