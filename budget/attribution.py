"""To whom an amount is attributed: dealt out in whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping


def attribute(amount_ms: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`amount_ms` >= 0 dealt out by `weights` in whole milliseconds that add up to it.

    Largest remainder (Hamilton); ties go to the smaller name, so the order of `weights` does not
    matter. All weights zero: equal parts. Raises ValueError for no or negative weights.
    """
    if not weights or min(weights.values()) < 0 or amount_ms < 0:
        raise ValueError(f"cannot attribute {amount_ms} ms by {dict(weights)}")
    total = sum(weights.values())
    if total == 0:
        weights, total = dict.fromkeys(weights, 1), len(weights)
    parts = {name: amount_ms * weight // total for name, weight in weights.items()}
    left = amount_ms - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (-(amount_ms * weights[name] % total), name))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts
