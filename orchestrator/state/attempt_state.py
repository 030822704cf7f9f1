"""One execution of a job, with what it has reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from budget.meters.log import Metered
from orchestrator.events.outcomes import AttemptOutcome, Edge
from orchestrator.forecasts.pace import Marks
from orchestrator.state.losses import Losses

AttemptStatus = Literal["planned", "accepted", "running", "ended"]


@dataclass(frozen=True)
class AttemptState:
    id: str
    job: str
    fence: int
    key: str
    folder: str
    executor: str
    cpus: int
    mem_mb: int
    devices: tuple[str, ...] = ()
    allocation: str | None = None
    previous: str | None = None
    limit_s: float | None = None
    """Seconds of this attempt; None: those of its job."""
    grace_s: float | None = None
    edge: Edge = ""
    edge_until_ms: int | None = None
    status: AttemptStatus = "planned"
    started_ms: int | None = None
    ended_ms: int | None = None
    outcome: AttemptOutcome | None = None
    reason: str = ""
    sentence: str = ""
    digest: str = ""
    progress: tuple[float, float] | None = None
    marks: Marks = ()
    """Some of its progress, as `orchestrator.forecasts.pace` needs it."""
    reports: tuple[Mapping[str, Any], ...] = ()
    """Values reported, in order; each with `at_ms`."""
    notes: tuple[str, ...] = ()
    error: Mapping[str, str] | None = None
    checkpoint: tuple[int, int] | None = None
    """Epoch and step of the newest checkpoint it has said to be whole."""
    checkpoint_ms: int | None = None
    stop_sent: str | None = None
    stop_sent_ms: int | None = None
    unreachable: str = ""
    """Why nothing is known of it at the moment; empty when something is."""
    metered: Metered | None = None
    kept_idle: str = ""
    """That its devices were kept for CPU work, with figures; empty when they were not."""
    stages: tuple[tuple[int, str], ...] = ()
    """The parts of its work that have names, each with when it began."""
    stood_by: bool = False
    """It was started ahead of its devices."""
    prepared_ms: int | None = None
    """What it took until it was ready for them; None where it was not ready when they came."""

    @property
    def live(self) -> bool:
        return self.status != "ended"

    @cached_property
    def path(self) -> Path:
        """Its folder; asked for at every look at what runs."""
        return Path(self.folder)

    @cached_property
    def losses(self) -> Losses:
        """What `reports` say of them; who adds reports hands it on."""
        return Losses().after(self.reports)

    @property
    def out(self) -> str:
        return f"{self.folder}/out"
