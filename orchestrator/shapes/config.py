"""`skint config get KEY --json` and `list --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Config:
    SCHEMA: ClassVar[str] = "config/1"

    path: str
    """The file; it need not be there."""
    settings: Mapping[str, str | int | float | bool | list[str] | None]
    """What is set, by dotted name; null of a notifier without settings."""
