"""How many pictures there are of each class, label or range of values, in the set and its folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.stats.ranges import ranges
from skint.dataset import Folds, PackedSet, Target

UNEVEN = 10
"""The largest class that is so many times the smallest is worth a sentence."""
TINY = 10
"""A class of fewer pictures can hardly be learnt, and its score is chance."""
SHOWN = 5
"""Names in a sentence; the others are counted."""


def balance(data: PackedSet, target: Target, folds: Folds | None) -> dict[str, Any]:
    """Counts of one target. `classes` has a row each, in their order; ranges for values."""
    if target.kind == "value":
        values = data.values(target.name)
        known = values[np.isfinite(values)]
        names, member = ranges(values)
        quartiles = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]).tolist() if len(known) else []
        extra: dict[str, Any] = {
            "mean": float(known.mean()) if len(known) else None,
            "quartiles": quartiles,
        }
    elif target.kind == "multilabel":
        member, names = data.multi_hot(target.name).astype(bool), list(target.classes)
        extra = {"labels_a_picture": float(member.sum(axis=1).mean()) if len(data) else 0.0}
    else:
        member = data.labels(target.name)[:, None] == np.arange(len(target.classes))
        names, extra = list(target.classes), {}
    counts = member.sum(axis=0).tolist()
    held_out = () if folds is None else folds.held_out
    return {
        "name": target.name,
        "kind": target.kind,
        "unknown": int((~member.any(axis=1)).sum()) if target.kind != "multilabel" else 0,
        "classes": [
            {
                "name": name,
                "n": count,
                "share": count / len(data) if len(data) else 0.0,
                "held_out": [int(member[rows, number].sum()) for rows in held_out],
            }
            for number, (name, count) in enumerate(zip(names, counts, strict=True))
        ],
        **extra,
    }


def findings(facts: dict[str, Any]) -> list[str]:
    """What a person should know about the balance of one target, a sentence each."""
    rows = [row for row in facts["classes"] if row["n"]]
    if facts["kind"] == "value" or not rows:
        return []
    said = []
    empty = [row["name"] for row in facts["classes"] if not row["n"]]
    if empty:
        said.append(f"{_few(empty)}: no picture at all")
    most, least = max(rows, key=lambda row: row["n"]), min(rows, key=lambda row: row["n"])
    if most["n"] >= UNEVEN * least["n"]:
        said.append(
            f"{most['name']} has {most['n'] / least['n']:.0f} times as many pictures as"
            f" {least['name']} ({most['n']:,} and {least['n']:,})"
        )
    tiny = [row["name"] for row in rows if row["n"] < TINY]
    if tiny:
        said.append(f"{_few(tiny)}: fewer than {TINY} pictures")
    unseen = [
        f"{row['name']} in fold {fold}"
        for row in rows
        for fold, count in enumerate(row["held_out"])
        if not count
    ]
    if unseen:
        said.append(f"nothing to be tested on: {_few(unseen)}")
    if facts["unknown"]:
        said.append(f"{facts['unknown']:,} pictures have no {facts['name']}")
    return said


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
