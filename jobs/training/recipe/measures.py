"""The metrics that a recipe may name, for which kinds of target, and which way is better.

Nothing here imports torch, so that a plan can be checked without it.
"""

from __future__ import annotations

import difflib

MEASURES: dict[str, dict[str, bool]] = {
    "class": {
        "acc": True,
        "f1": True,
        "precision": True,
        "recall": True,
        "auroc": True,
        "average-precision": True,
        "top5": True,
        "kappa": True,
        "mcc": True,
        "calibration-error": False,
    },
    "multilabel": {
        "f1": True,
        "precision": True,
        "recall": True,
        "auroc": True,
        "average-precision": True,
        "mcc": True,
    },
    "value": {"mae": False, "rmse": False, "r2": True},
}
"""By kind of target: the metric's name, and whether more of it is better."""
ALWAYS = {"class": "acc", "multilabel": "f1", "value": "mae"}
"""What is measured of each kind, also where nothing is named."""
LOSS = "loss"
NAMES = tuple(dict.fromkeys(name for kind in MEASURES.values() for name in kind))


def unknown_measure(name: str) -> str | None:
    """A sentence with the nearest names where there is no metric called `name`, else None."""
    if name in NAMES:
        return None
    near = difflib.get_close_matches(name, NAMES, n=3, cutoff=0.5)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return f"there is no metric {name!r}{hint}; there are {', '.join(NAMES)}"


def split_monitor(monitor: str) -> tuple[str, str]:
    """`val_f1.breed` as ("f1", "breed"); the target is empty where none is named.

    Raises ValueError, with a sentence, where it names no metric.
    """
    name, _, target = monitor.removeprefix("val_").partition(".")
    if not monitor.startswith("val_"):
        raise ValueError(
            f"a metric of the validation begins with val_, as in val_loss: {monitor!r}"
        )
    if name != LOSS and (complaint := unknown_measure(name)) is not None:
        raise ValueError(complaint)
    return name, target


def larger_is_better(name: str) -> bool:
    """Of a metric's bare name, `f1`; it is the same for every kind of target."""
    return any(kind.get(name, False) for kind in MEASURES.values())
