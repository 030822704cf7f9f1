"""Compares trainings of the same folds by their held-out scores, and keeps the better one.

Reads  result.json and predictions.npz of every fold of two or more entries.
Writes choice.json: what was kept, all scores and the differences; predictions.npz and result.json
       of what was kept, all folds together.

    frozen:   {uses: train, needs: [features, folds], per: fold, devices: 0, with: {model: linear}}
    tuned:    {uses: train, needs: [packed, folds], per: fold, with: {model: resnet18}}
    baseline: {uses: better, needs: [frozen, tuned]}

`errors` and `predict` that need it take the entry that was kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

import skint
from jobs.better.choice import CHOICE
from skint.attempt import write_atomic

if TYPE_CHECKING:
    from jobs.better.comparing import Comparison

CLEAR = 2.0
"""Standard errors from which a difference is more than what the folds vary by."""


class Params(BaseModel):
    """What `better` compares."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    entries: tuple[str, ...] = ()
    """Two or more entries of the plan; by default all it needs that have out-of-fold predictions.
    """
    larger_is_better: bool | None = None
    """Of their metric, where it is none that `train` measures."""


@skint.job(devices=0, libraries=("numpy",))
def better(params: Params, ctx: skint.Context) -> None:
    from jobs.better.comparing import compare
    from jobs.better.entrants import joined, read_entrants
    from jobs.training.results.arrays import write_arrays

    entrants = read_entrants(ctx, params.entries)
    comparison = compare(entrants, params.larger_is_better)
    kept = comparison.kept
    write_arrays(ctx.out / "predictions.npz", joined(kept))
    facts: dict[str, Any] = {
        "kept": kept.name,
        "metric": kept.metric,
        "larger_is_better": comparison.larger_is_better,
        "entries": {one.name: {"score": one.score, "folds": one.scores} for one in entrants},
        "beaten": {
            name: {"by": found.by, "error": found.error, "folds": found.folds}
            for name, found in comparison.beaten.items()
        },
    }
    result = {"metric": kept.metric, "score": kept.score, "n": kept.count}
    for name, content in (("result.json", result), (CHOICE, facts)):
        write_atomic(ctx.out / name, (json.dumps(content, indent=1) + "\n").encode())
    ctx.note(_told(comparison))
    ctx.report(metric=kept.metric, score=kept.score, n=kept.count)


def _told(comparison: Comparison) -> str:
    """ "tuned 0.912 beats frozen 0.874 by 0.038 ± 0.011; kept: tuned"."""
    kept = comparison.kept
    parts = []
    for other in comparison.others:
        found = comparison.beaten[other.name]
        error = "" if found.error is None else f" ± {found.error:.2g}"
        if found.by == 0:
            parts.append(f"equals {other.name}")
            continue
        doubt = found.error is not None and found.by < CLEAR * found.error
        parts.append(
            f"beats {other.name} {other.score:.4g} by {found.by:.3g}{error}"
            + (", no more than folds vary" if doubt else "")
        )
    alone = ", of one fold" if len(kept.scores) == 1 else ""
    return f"{kept.name} {kept.score:.4g} {' and '.join(parts)}{alone}; kept: {kept.name}"
