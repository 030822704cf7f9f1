"""`broken`: a loss that is not a number any more will not become one again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.stop_rules.base import GO_ON, GroupView, Verdict

_NUMBERS = (float, str)
"""Those that are not finite are reported as words."""


def broken(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """Stop the whole group when a loss is NaN or infinite: its other folds run the same code."""
    for report in group.now.reports:
        for name, value in report.items():
            if "loss" in name and isinstance(value, _NUMBERS) and not _is_finite(value):
                epoch = f" in epoch {report['epoch']}" if "epoch" in report else ""
                sentence = f"{name} became {value}{epoch} of {group.now.job}"
                return Verdict("stop", "group", "broken", sentence)
    return GO_ON


def _is_finite(value: float | str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:  # a word, not a number
        return True
