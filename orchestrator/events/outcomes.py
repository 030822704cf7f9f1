"""How attempts, jobs and runs end."""

from __future__ import annotations

from typing import Literal

AttemptOutcome = Literal["done", "failed", "stopped", "deadline", "killed", "lost", "unused"]
"""`unused`: it was to get devices where it stood by, and had ended by then."""
JobOutcome = Literal["done", "reused", "failed", "stopped", "skipped"]
Edge = Literal["", "session", "window"]
RunOutcome = Literal["done", "failed", "stopped", "cancelled"]
"""`stopped`: a stop rule, a limit or a person has ended a part of it, and nothing has failed."""
