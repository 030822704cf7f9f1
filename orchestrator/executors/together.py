"""What is seen of several attempts that run side by side, as what is seen of their submission."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.executors.base import AttemptSight, Condition, Observation


def observation(sights: Mapping[str, AttemptSight], reason: str = "") -> Observation:
    """One attempt makes the observation alone. Of several, devices are kept from the first start
    to the last end; one of which nothing is known leaves all unknown."""
    starts = [one.started_ms for one in sights.values() if one.started_ms is not None]
    ends = [_end_ms(one) for one in sights.values() if not _never_ran(one)]
    known = [end_ms for end_ms in ends if end_ms is not None]
    return Observation(
        _condition({one.condition for one in sights.values()}),
        reason,
        started_ms=min(starts, default=None),
        ended_ms=max(known, default=None) if len(known) == len(ends) else None,
        attempts=sights,
    )


def _never_ran(one: AttemptSight) -> bool:
    """What stood by for it had ended: it says nothing about the others' devices."""
    return one.condition == "ended" and one.started_ms is None


def _condition(seen: set[Condition]) -> Condition:
    if len(seen) == 1:
        return next(iter(seen))
    if "unknown" in seen:
        return "unknown"
    if seen <= {"ended", "lost"}:
        return "lost"
    return "running"


def _end_ms(sight: AttemptSight) -> int | None:
    if sight.condition == "ended" and sight.exit is not None:
        return sight.exit.ended_ms if sight.started_ms is not None else None
    return sight.lost_ms
