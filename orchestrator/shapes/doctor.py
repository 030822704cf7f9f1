"""`skint doctor --json`."""

from __future__ import annotations

from typing import ClassVar, Literal

from orchestrator.shapes.shape import shape


@shape
class Finding:
    check: str
    """What was looked at: `clock`, `account lab`."""
    level: Literal["ok", "warn", "bad"]
    said: str
    fix: str
    """What to type or to do; empty where nothing is wrong."""
    fixed: str
    """What `--fix` did about it; empty for nothing."""


@shape
class Doctor:
    SCHEMA: ClassVar[str] = "doctor/1"

    healthy: bool
    """Nothing is bad; the exit code is 0 then."""
    findings: tuple[Finding, ...]
