"""Trainings that have no out-of-fold predictions, and why: their `result.json` says it."""

from __future__ import annotations

import json
from pathlib import Path

import skint
from jobs.better.choice import kept_folders

NO_PREDICTIONS = "no_predictions"
"""Where `result.json` says why there are none."""


def unpredicted(ctx: skint.Context) -> tuple[str, ...]:
    """A clause for each entry above that says why it has none: "fit: ...", or "fit, fold 2: ..."
    of the folds that have none where others do, or for other reasons."""
    said = []
    for entry in ctx.task.inputs:
        folders = kept_folders(ctx, entry)
        reasons = [_reason(folder) for folder in folders]
        if reasons[0] and len(set(reasons)) == 1:
            said.append(f"{entry}: {reasons[0]}")
        else:
            said += [f"{entry}, fold {n}: {why}" for n, why in enumerate(reasons) if why]
    return tuple(said)


def _reason(folder: Path) -> str:
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no training, or one of another program
        return ""
    return str(result.get(NO_PREDICTIONS, "")) if isinstance(result, dict) else ""
