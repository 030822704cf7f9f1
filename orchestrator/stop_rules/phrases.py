"""How numbers are said in the sentences of rules."""

from __future__ import annotations

from orchestrator.stop_rules.base import GroupView
from orchestrator.stop_rules.comparison import upright


def metric(group: GroupView, value: float) -> str:
    """A score as it was reported: shares as per cent."""
    return f"{value:.1%}" if group.is_share else f"{value:.4g}"


def of_upright(group: GroupView, value: float) -> str:
    """The same for a score that was turned so that larger is better."""
    return metric(group, upright(group, value))  # turning it twice gives it back


def duration(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def savings(group: GroupView) -> str:
    """`; stopping saves 4.1 h`, or nothing where that is not known."""
    return f"; stopping saves {duration(group.left_s)}" if group.left_s else ""
