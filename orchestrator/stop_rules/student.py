"""Student's t distribution, for whole degrees of freedom. Standard library only: the scheduler's
process loads neither numpy nor scipy for one number."""

from __future__ import annotations

import math


def student_cdf(t: float, freedom: int) -> float:
    """Chance of a value below `t`; exact but for rounding.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    if freedom < 1:
        raise ValueError(f"degrees of freedom begin with 1, not {freedom}")
    angle = math.atan2(abs(t), math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    within = (angle + sine * total) * 2 / math.pi if odd else sine * total
    tail = max(0.0, (1 - within) / 2)
    return tail if t < 0 else 1 - tail
