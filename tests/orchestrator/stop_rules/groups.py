"""Views of groups, as the scheduler would make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.stop_rules.base import Finished, FoldView, GroupView

EPOCHS = 10


def rising(best: float, epochs: int = EPOCHS, start: float = 0.3) -> tuple[float, ...]:
    """A curve that climbs to `best` in its last epoch, faster at first."""
    return tuple(best - (best - start) * (1 - (epoch + 1) / epochs) ** 2 for epoch in range(epochs))


def done(fold: int, best: float, **more: Any) -> FoldView:
    fields: dict[str, Any] = {
        "ended": True,
        "done": True,
        "scores": rising(best),
        "epochs": EPOCHS,
        "schedule": "one-cycle",
        "best": best,
    }
    return FoldView(f"train.fold{fold}", fold, (), **(fields | more))


def running(fold: int, scores: Sequence[float], **more: Any) -> FoldView:
    fields: dict[str, Any] = {
        "ended": False,
        "scores": scores,
        "epochs": EPOCHS,
        "schedule": "one-cycle",
        "best": max(scores, default=None),
        "reports": (),
    }
    return FoldView(f"train.fold{fold}", fold, **(fields | more))


def waiting(fold: int) -> FoldView:
    return FoldView(f"train.fold{fold}", fold, (), ended=False)


def finished(name: str, bests: Sequence[float], **more: Any) -> Finished:
    return Finished(
        name, "train", tuple(done(n, best, **more) for n, best in enumerate(bests)), 3600.0
    )


BASELINE = finished("good", (0.84, 0.85, 0.83, 0.86, 0.84))


def group(*views: FoldView, **more: Any) -> GroupView:
    """Five folds, of which the first are given; the last one given is the one looked at."""
    folds = (*views, *(waiting(n) for n in range(len(views), 5)))
    fields: dict[str, Any] = {
        "metric": "val_acc",
        "is_share": True,
        "items": 400,
        "largest_class": 0.2,
        "baseline": BASELINE,
    }
    looked_at = folds[len(views) - 1]
    return GroupView("train", folds, looked_at, **(fields | more))
