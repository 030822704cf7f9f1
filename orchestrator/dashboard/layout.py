"""What has room on a terminal of some size. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = (72, 14)
"""Columns and lines below which nothing sensible can be shown."""
SIDE_FROM = 140
"""Columns from which events and the selected line stand beside the jobs."""
BELOW_FROM = 28
"""Lines from which events stand below the jobs."""


@dataclass(frozen=True)
class Layout:
    width: int
    height: int
    side: int = 0
    """Columns of what stands beside the jobs; 0 where nothing does."""
    events: int = 0
    """Lines of the events below the jobs, their head included; 0 where they have none."""
    devices: int = 8
    """Most devices that have a line each."""

    @classmethod
    def fitting(cls, width: int, height: int) -> Layout:
        side = min(80, width * 38 // 100) if width >= SIDE_FROM else 0
        below = not side and height >= BELOW_FROM
        events = min(12, 6 + (height - BELOW_FROM) // 3) if below else 0
        return cls(width, height, side, events, devices=2 if height < BELOW_FROM else 8)

    @property
    def main(self) -> int:
        """Columns of the jobs."""
        return self.width - self.side - 1 if self.side else self.width

    @property
    def tiny(self) -> str:
        """That it is too small, in words; empty where it is not."""
        if self.width >= LEAST[0] and self.height >= LEAST[1]:
            return ""
        return (
            f"{self.width} x {self.height} is too\nsmall: make it\n"
            f"{LEAST[0]} x {LEAST[1]}, or use\nskint status\n(q quits)"
        )
