"""What commands that do something answer with `--json`: that it was done, and to what."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Done:
    SCHEMA: ClassVar[str] = "done/1"

    did: str
    """The command: `cancel`."""
    run: str | None
    """What it was about; null where it was about no run."""
    text: str
    """The same in words."""
