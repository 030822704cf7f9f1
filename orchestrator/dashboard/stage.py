"""What a screen that lies above the main one may ask of it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Protocol

from orchestrator.dashboard.keys import Situation
from orchestrator.dashboard.questions.outgoing import Outgoing
from orchestrator.home import Home


class Stage(Protocol):
    """The dashboard, as it stands behind another screen."""

    home: Home
    zone: tzinfo | None
    read_only: bool
    outgoing: Outgoing

    def do(self, action: str, now: Situation) -> None:
        """What a key that changes something does."""
