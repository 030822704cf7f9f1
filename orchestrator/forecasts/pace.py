"""How fast a job counts: a few observations of its progress, and what follows from them. Pure.

An observation is (Unix time in ms, how much was done by then). Nothing is known of the pace before
two of them lie a second apart, nor of a job that has said nothing for longer than it should take.
"""

from __future__ import annotations

MOST = 16
"""Observations that are kept: the pace is that of the last half minute, or of the last items."""
APART_MS = 2_000
"""Observations that are closer than this are one."""
SHORTEST_MS = 1_000
PATIENCE_MS = 10_000
"""A job is taken to have stalled after this and four times what an item takes."""

Marks = tuple[tuple[int, float], ...]


def with_mark(marks: Marks, at_ms: int, done: float) -> Marks:
    """`marks` after another observation. Counting that goes backwards begins anew."""
    if marks and (done < marks[-1][1] or at_ms < marks[-1][0]):
        marks = ()
    if marks and done == marks[-1][1]:
        return marks
    if len(marks) > 1 and at_ms - marks[-2][0] < APART_MS:
        marks = marks[:-1]
    return (*marks, (at_ms, done))[-MOST:]


def per_s(marks: Marks, now_ms: int) -> float | None:
    """Items a second; None where nobody can tell."""
    if len(marks) < 2:
        return None
    (first_ms, first), (last_ms, last) = marks[0], marks[-1]
    if last_ms - first_ms < SHORTEST_MS or last <= first:
        return None
    pace = (last - first) * 1000 / (last_ms - first_ms)
    stalled = now_ms - last_ms > PATIENCE_MS + 4_000 / pace
    return None if stalled else pace


def left_ms(marks: Marks, total: float, now_ms: int) -> int | None:
    """Time until `total` at that pace; None where nobody can tell."""
    pace = per_s(marks, now_ms)
    if pace is None:
        return None
    last_ms, done = marks[-1]
    return max(0, round((total - done) * 1000 / pace) - max(0, now_ms - last_ms))
