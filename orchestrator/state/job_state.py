"""What each node of a run's graph has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

JobStatus = Literal["waiting", "running", "done", "reused", "failed", "stopped", "skipped"]


@dataclass(frozen=True)
class JobState:
    id: str
    status: JobStatus = "waiting"
    key: str = ""
    out: str = ""
    digest: str = ""
    attempts: tuple[str, ...] = ()
    result_of: str = ""
    """The attempt whose result it has: its own, or an earlier one's when reused."""
    reason: str = ""
    sentence: str = ""
    remark: str = ""
    """How it started, where that is out of the ordinary: from what it goes on, why again."""
    until_ms: int | None = None
    saved_ms: int = 0
    overtaken_ms: int | None = None
    """Since when jobs that come later start before it; None once it has started."""
    ahead: int = 0
    """How many workers were started ahead for it that have not become attempts."""
    paused: str = ""
    """By whom it is kept from starting, in a sentence; empty where it is not."""
    forgiven: int | None = None
    """How many of its attempts somebody has let pass who had it tried anew; None where nobody
    has."""
    unready: str = ""
    """Why no worker is started ahead for it any more: how the last one ended."""

    @property
    def next_fence(self) -> int:
        """Of its next attempt: each one, and each worker started ahead, has its own."""
        return len(self.attempts) + self.ahead + 1

    @property
    def ended(self) -> bool:
        return self.status not in ("waiting", "running")

    @property
    def has_result(self) -> bool:
        return self.status in ("done", "reused")
