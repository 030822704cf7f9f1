"""What a metric's name says of it: which way is better, and whether it is a share of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.views.run.training import lower_is_better

_SHARES = frozenset({"acc", "accuracy", "top1", "top3", "top5"})
_PARTS = ("val_", "valid_", "validation_", "test_", "eval_")


@dataclass(frozen=True)
class Metric:
    name: str
    larger_is_better: bool
    is_share: bool
    """It counts right ones among all, as accuracy does: its sampling error is known. A mean over
    classes (F1, balanced accuracy) and a loss are no such share."""

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is strictly better."""
        return one > other if self.larger_is_better else one < other


def metric_of(name: str, larger_is_better: bool | None = None) -> Metric:
    """`val_acc`, `val_acc.cherry` of one of several targets, `val/accuracy`, `rmse`; which way is
    better is told by the name where nobody has said it."""
    bare = name.lower().replace("/", "_").partition(".")[0]
    for part in _PARTS:
        bare = bare.removeprefix(part)
    larger = not lower_is_better(name) if larger_is_better is None else larger_is_better
    return Metric(name, larger, bare in _SHARES and larger)
