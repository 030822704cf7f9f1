"""Where the hours of an attempt went: its charge, dealt out over its stages by their time. Pure.

Derived whenever somebody asks and kept nowhere: the ledger attributes a charge to attempts, the
reports of an attempt say when its stages began and ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from statistics import median

from budget.amount import format_amount
from budget.attribution import attribute
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from orchestrator.views.run.training import epoch_ends

START, EPOCHS, TAIL, IDLE, WHOLE = "start", "epochs", "tail", "idle", "not told"
"""Up to the first epoch: imports, data, compilation; the epochs; what follows the last of them:
validation, saving; devices kept before the job began or after it ended; all of an attempt that
told neither epochs nor stages. Stages that a job names itself (`ctx.stage`) stand in the place of
the epochs, and what came before the first one is the start."""


UNNAMED = frozenset({START, EPOCHS, TAIL, IDLE, WHOLE})


def charges_by_stage(run: RunState, attempt: str, charged_ms: int) -> dict[str, int]:
    """`charged_ms` >= 0 of an attempt by stage, in whole milliseconds that add up to it.

    Stages that took no time are left out.
    """
    known = run.attempts[attempt]
    walls_ms = stage_walls(known, run.allocations.get(known.allocation or ""), run.attempts)
    parts = attribute(charged_ms, walls_ms)
    return {stage: parts[stage] for stage in walls_ms if walls_ms[stage]} or {WHOLE: charged_ms}


def stage_walls(
    attempt: AttemptState,
    allocation: AllocationState | None,
    others: Mapping[str, AttemptState],
) -> dict[str, int]:
    """Wall milliseconds of each stage of an attempt that has ended; `others` by id, itself too.

    The first epoch is taken to have lasted as long as the median of the others, what came before
    counts as the start; where there are no others, it counts as an epoch from the first word on.
    What an allocation lasted beyond its attempts is idle time of those at its edges.
    """
    began_ms, ended_ms = attempt.started_ms, attempt.ended_ms
    ends = epoch_ends(attempt.reports)
    if began_ms is None or ended_ms is None or not (ends or attempt.stages):
        return {WHOLE: 1}
    if attempt.stages:
        walls_ms = _named_walls(attempt, began_ms, ended_ms, max(ends.values(), default=ended_ms))
        return {**walls_ms, IDLE: walls_ms.get(IDLE, 0) + _idle_ms(attempt, allocation, others)}
    # The clock of the host where it ran may be another one than ours.
    numbers = sorted(ends)
    first_ms, last_ms = (
        min(max(began_ms, ends[number]), ended_ms) for number in (numbers[0], numbers[-1])
    )
    last_ms = max(first_ms, last_ms)
    each_ms = [
        (ends[after] - ends[before]) / (after - before) for before, after in pairwise(numbers)
    ]
    if each_ms:
        begun_ms = first_ms - max(0, round(median(each_ms)))
    else:
        begun_ms = min((report["at_ms"] for report in attempt.reports), default=began_ms)
        begun_ms = began_ms if begun_ms >= ends[numbers[0]] else begun_ms
    begun_ms = min(max(began_ms, begun_ms), first_ms)
    return {
        START: begun_ms - began_ms,
        EPOCHS: last_ms - begun_ms,
        TAIL: ended_ms - last_ms,
        IDLE: _idle_ms(attempt, allocation, others),
    }


def _named_walls(
    attempt: AttemptState, began_ms: int, ended_ms: int, last_epoch_ms: int
) -> dict[str, int]:
    """Each stage lasts until the next one begins, the last one to the end of its last epoch."""
    marks = sorted((min(max(began_ms, at_ms), ended_ms), name) for at_ms, name in attempt.stages)
    tail_ms = min(last_epoch_ms, ended_ms)
    if tail_ms <= marks[-1][0]:  # the last stage has told no epoch: it lasted to the end
        tail_ms = ended_ms
    found = {START: marks[0][0] - began_ms}
    for (at_ms, name), (until_ms, _) in pairwise([*marks, (tail_ms, TAIL)]):
        found[name] = found.get(name, 0) + until_ms - at_ms
    found[TAIL] = found.get(TAIL, 0) + ended_ms - tail_ms
    return found


def _idle_ms(
    attempt: AttemptState,
    allocation: AllocationState | None,
    others: Mapping[str, AttemptState],
) -> int:
    if allocation is None or allocation.start_ms is None or allocation.end_ms is None:
        return 0
    carried = [others[name] for name in allocation.attempts if name in others]
    if allocation.together:
        return _idle_beside_ms(attempt, allocation, carried)
    starts = [(a.started_ms, a.id) for a in carried if a.started_ms is not None]
    ends = [(a.ended_ms, a.id) for a in carried if a.ended_ms is not None]
    idle_ms = 0
    if starts and min(starts)[1] == attempt.id:
        idle_ms += max(0, min(starts)[0] - allocation.start_ms)
    if ends and max(ends)[1] == attempt.id:
        idle_ms += max(0, allocation.end_ms - max(ends)[0])
    return idle_ms


def _idle_beside_ms(
    attempt: AttemptState, allocation: AllocationState, carried: list[AttemptState]
) -> int:
    """All that devices were kept for beside their own attempts: the one that ended last kept it."""
    assert allocation.start_ms is not None and allocation.end_ms is not None
    last = max(carried, key=lambda a: a.ended_ms or allocation.end_ms or 0)
    if last.id != attempt.id:
        return 0
    own_ms = sum((a.ended_ms or 0) - (a.started_ms or 0) for a in carried if a.ended_ms)
    return max(0, (allocation.end_ms - allocation.start_ms) * len(allocation.attempts) - own_ms)


def stage_rows(
    run: RunState, titles: Mapping[str, str], charged: Mapping[str, int], unit: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and a row for each job with a charge, all its attempts together; stages that no job
    has are left out. Where jobs name several stages, each stage of a job has a row. `titles` by
    job, `charged` by attempt."""
    sums: dict[str, dict[str, int]] = {}
    for job in run.graph.jobs:
        for name in run.jobs[job.id].attempts:
            if not charged.get(name):
                continue
            found = sums.setdefault(job.id, {})
            for stage, ms in charges_by_stage(run, name, charged[name]).items():
                found[stage] = found.get(stage, 0) + ms
    shown = _in_order(sums.values())
    if len(set(shown) - UNNAMED) > 1:
        lines: list[tuple[str, ...]] = [
            (titles[job] if first else "", stage, _exactly(found[stage], unit))
            for job, found in sums.items()
            for first, stage in _numbered([stage for stage in shown if found.get(stage)])
        ]
        return ("where it went", "stage", ">charged"), lines
    rows = [
        (titles[job], *(_exactly(found.get(stage), unit) for stage in shown))
        for job, found in sums.items()
    ]
    return ("where it went", *(f">{stage}" for stage in shown)), rows


def _in_order(sums: Iterable[Mapping[str, int]]) -> list[str]:
    """Stages that took any time: the start, what jobs named in their order, and the rest."""
    # Those of whole attempts first: one that went on in its third stage has not the others.
    ordered = sorted(sums, key=len, reverse=True)
    seen = dict.fromkeys(stage for found in ordered for stage, ms in found.items() if ms)
    named = [stage for stage in seen if stage not in UNNAMED]
    return [stage for stage in (START, *named, EPOCHS, TAIL, IDLE, WHOLE) if stage in seen]


def _numbered(stages: list[str]) -> Iterator[tuple[bool, str]]:
    """Each with whether it is the first."""
    return ((number == 0, stage) for number, stage in enumerate(stages))


def _exactly(ms: int | None, unit: str) -> str:
    return "–" if ms is None else format_amount(ms, unit, exact=True)
