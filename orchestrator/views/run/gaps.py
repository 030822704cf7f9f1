"""How well a run used what was kept for it: the gaps between its attempts on a device, and how much
of the time was spent in steps. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from budget.attribution import attribute
from budget.duration import format_exact
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.training import number

MOST_MS = 60_000
"""A device that was free for longer waited for something else than the start of a job: for hours,
for another run, for a person."""


@dataclass(frozen=True)
class Gap:
    """From the end of an attempt on a device to the first step of the next one of its run."""

    before: str
    after: str
    """The two attempts."""
    free_ms: int
    """Until the device was kept again; nothing is charged for it."""
    start_ms: int
    """From then to the first step, which is charged."""
    ahead: bool
    """The next one had been started ahead."""

    @property
    def ms(self) -> int:
        return self.free_ms + self.start_ms


def gaps(run: RunState) -> list[Gap]:
    """Between attempts that follow each other on a device, in their order."""
    found = []
    for before, after in _neighbours(run):
        step_ms = first_step_ms(after)
        if before.ended_ms is None or after.started_ms is None or step_ms is None:
            continue
        allocation = run.allocations.get(before.allocation or "")
        kept_ms = before.ended_ms
        if allocation is not None and allocation.together and allocation.end_ms is not None:
            kept_ms = allocation.end_ms  # the one beside it kept the device
        free_ms = after.started_ms - kept_ms
        if 0 <= free_ms <= MOST_MS:
            found.append(
                Gap(before.id, after.id, free_ms, step_ms - after.started_ms, after.stood_by)
            )
    return found


def cold_start_ms(run: RunState) -> int | None:
    """From start to first step of those attempts that were not started ahead: the median."""
    found = [
        step_ms - attempt.started_ms
        for attempt in run.attempts.values()
        if attempt.devices and not attempt.stood_by and attempt.started_ms is not None
        if (step_ms := first_step_ms(attempt)) is not None
    ]
    return round(median(found)) if found else None


def preparation_ms(run: RunState) -> int | None:
    """What those that were started ahead took until they were ready: the median."""
    found = [a.prepared_ms for a in run.attempts.values() if a.prepared_ms is not None]
    return round(median(found)) if found else None


def first_step_ms(attempt: AttemptState) -> int | None:
    """When its first epoch began, by what it told of that; else when its first stage did."""
    if attempt.started_ms is None:
        return None
    begins = [
        report["at_ms"] - round(seconds * 1000)
        for report in attempt.reports
        if (seconds := number(report.get("seconds"))) is not None and 0 <= seconds < 1e9
    ]
    begins = begins or [at_ms for at_ms, _ in attempt.stages]
    return max(attempt.started_ms, min(begins)) if begins else None


def in_step_share(run: RunState) -> float | None:
    """The part of the time that devices were kept, by those attempts that tell it, in which steps
    of training and validation were done; 0 to 1. None where nobody tells."""
    steps_ms = kept_ms = 0.0
    for allocation in run.allocations.values():
        kept = _kept_ms(allocation)
        for name, own_ms in kept.items():
            attempt = run.attempts[name]
            told = [number(report.get("in_step_s")) for report in attempt.reports]
            in_steps_s = [one for one in told if one is not None and 0 <= one < 1e9]
            if in_steps_s:
                steps_ms += sum(in_steps_s) * 1000 * len(attempt.devices)
                kept_ms += own_ms
    return min(1.0, steps_ms / kept_ms) if kept_ms else None


def _kept_ms(allocation: AllocationState) -> dict[str, int]:
    """Device-milliseconds by attempt, of an allocation that is over."""
    if allocation.start_ms is None or allocation.end_ms is None:
        return {}
    whole_ms = (allocation.end_ms - allocation.start_ms) * len(allocation.devices)
    return attribute(whole_ms, allocation.weights) if allocation.weights else {}


def _neighbours(run: RunState) -> Iterator[tuple[AttemptState, AttemptState]]:
    """Attempts that followed each other on a device."""
    by_device: dict[str, list[AttemptState]] = {}
    for attempt in run.attempts.values():
        if attempt.started_ms is not None:
            for device in attempt.devices[:1]:
                by_device.setdefault(device, []).append(attempt)
    for attempts in by_device.values():
        yield from pairwise(sorted(attempts, key=lambda a: a.started_ms or 0))


def usage_lines(run: RunState) -> list[tuple[str, str]]:
    """A head and a sentence about each of the two, where there is something to say."""
    lines = []
    found = gaps(run)
    cold_ms, ready_ms = cold_start_ms(run), preparation_ms(run)
    cold = "" if cold_ms is None else f"; a cold start takes {format_exact(cold_ms)}"
    if cold_ms is None and ready_ms is not None:
        cold = f"; getting ready took {format_exact(ready_ms)}, before any device was kept"
    if found:
        mean_ms = round(sum(gap.ms for gap in found) / len(found))
        charged_ms = round(sum(gap.start_ms for gap in found) / len(found))
        count = f", {len(found)} times" if len(found) > 1 else ""
        ahead = sum(gap.ahead for gap in found)
        how = "" if ahead == len(found) else f"; {ahead or 'none'} of them started ahead"
        text = f"{format_exact(mean_ms)} from an end to the next first step{count}"
        lines.append(("gap", f"{text}, {format_exact(charged_ms)} of it charged{how}{cold}"))
    elif cold_ms is not None:
        lines.append(("start", f"{format_exact(cold_ms)} from a start to the first step"))
    share = in_step_share(run)
    if share is not None:
        cut = any(a.outcome not in (None, "done") and a.reports for a in run.attempts.values())
        but = "; steps of an epoch that was cut short are not counted" if cut else ""
        lines.append(("in step", f"{share:.1%} of the time that was charged{but}"))
    return lines
