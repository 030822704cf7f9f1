"""The edge of a session or a window: when to ask a job to stop there, and in which way. Pure.

    start                                   ask                    deadline
      ├──────────── its limit ───────────────┼──────── tail ─────────┤
      │ epoch │ epoch │ epoch │ epoch │      │ validate, save, upload │

The tail is inside what is reserved: nobody keeps a device beyond the deadline, and what is asked
too late is lost. All times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Policy = Literal["finish-epoch", "park", "hard-stop"]
How = Literal["epoch", "step"]

MARGIN = 1.25
"""A tail is taken to be so many times the longest one measured: the next may be longer."""

RECENT = 3
"""Epochs that tell how long the next one takes."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What stopping takes, from being asked to the last process gone."""

    ms: int
    basis: str
    """ "declared grace", "measured: the longest of 3 stops"."""


def tail(declared_ms: int, measured_ms: Sequence[int]) -> Tail:
    """At least what the plan declares; more where earlier stops have taken longer than that."""
    if not measured_ms or max(measured_ms) * MARGIN <= declared_ms:
        return Tail(declared_ms, "declared grace")
    count = f"{len(measured_ms)} stops" if len(measured_ms) > 1 else "1 stop"
    return Tail(round(max(measured_ms) * MARGIN), f"measured: the longest of {count}")


@dataclass(frozen=True, slots=True)
class Piece:
    """How long one attempt may run, and what is kept for its end."""

    limit_ms: int
    """From its start until it is asked to stop; 0 or less: there is no room for it."""
    tail_ms: int
    whole: bool
    """All that is left of the job's limit is in it."""


def piece(left_ms: int, tail_ms: int, teardown_ms: int, room_ms: int | None) -> Piece:
    """The longest attempt of a job with `left_ms` of its limit left that ends within `room_ms`.

    `room_ms` is the time from its start to the edge (None: there is no edge); `teardown_ms` is
    kept behind the tail for killing the last process.
    """
    if room_ms is None or left_ms + tail_ms + teardown_ms <= room_ms:
        return Piece(left_ms, tail_ms, whole=True)
    return Piece(room_ms - tail_ms - teardown_ms, tail_ms, whole=False)


def is_worth_starting(limit_ms: int, tail_ms: int, epoch_ms: Sequence[int]) -> bool:
    """Whether a piece that short gets anywhere: longer than stopping it takes, and long enough
    for an epoch where one has been measured."""
    return limit_ms >= max(tail_ms, 1, *epoch_ms[-RECENT:])


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to stop that is due at `at_ms`."""

    at_ms: int
    how: How


def ask(
    policy: Policy,
    *,
    limit_end_ms: int,
    last_epoch_end_ms: int,
    epoch_ms: Sequence[int],
) -> Ask | None:
    """When and how to ask a job that is cut at an edge; None where nobody asks before its deadline.

    `limit_end_ms` is where its tail begins, `last_epoch_end_ms` where its latest epoch ended (or
    it began), `epoch_ms` are the durations of its epochs. A request to stop at the end of an epoch
    is read by a job that is in one: it has to come in the last epoch that fits, and not in the
    first that does not. Where not even the present epoch fits, the limit cuts it, as with `park`.
    """
    if policy == "hard-stop":
        return None
    at_the_limit = Ask(limit_end_ms, "step")
    if policy == "park" or not epoch_ms:
        return at_the_limit
    # The first one also compiles and fills caches.
    known = list(epoch_ms[1:]) or list(epoch_ms)
    next_ms = max(known[-RECENT:])
    if last_epoch_end_ms + next_ms > limit_end_ms:
        return at_the_limit
    if last_epoch_end_ms + 2 * next_ms > limit_end_ms:
        return Ask(last_epoch_end_ms, "epoch")
    return None
