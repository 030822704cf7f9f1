"""What a stop rule is shown of a group, read off the state. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import overload

from orchestrator.baselines.comparison import Comparison
from orchestrator.baselines.fold_view import CORRECT, fold_view
from orchestrator.forecasts.forecasting import forecast_job
from orchestrator.graph import Job
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.state import RunState, State
from orchestrator.stop_rules.base import Finished, FoldView, GroupView


def short_view(run: RunState, job: Job, quiet_s: float) -> GroupView:
    """What `broken` needs, which is asked at every report of everything: what was reported."""
    cell = job.cell
    return GroupView(cell, _Folds(run, run.graph.cells()[cell]), _bare(run, job, quiet_s))


def whole_view(
    state: State, run: RunState, job: Job, inputs: Inputs, now_ms: int, quiet_s: float
) -> GroupView:
    """All that is known, with baseline and history."""
    jobs = run.graph.cells()[job.cell]
    compared = inputs.book.update(state).comparison(run, job)
    folds = [_fold(state, run, other, now_ms) for other in jobs]
    folds = [_against(fold, compared, inputs) for fold in folds]
    now = replace(folds[jobs.index(job)], quiet_s=quiet_s)
    folds[jobs.index(job)] = now
    left_s = {
        other.id: _left_s(state, run, other, compared.baseline, inputs, now_ms)
        for other in jobs
        if not _is_over(run, other)
    }
    known_s = [seconds for seconds in left_s.values() if seconds is not None]
    walls_s = inputs.book.walls_s()
    return GroupView(
        group=job.cell,
        folds=tuple(folds),
        now=now,
        metric=compared.metric.name,
        larger_is_better=compared.metric.larger_is_better,
        is_share=compared.metric.is_share,
        items=compared.facts.items,
        largest_class=compared.facts.largest_class,
        baseline=compared.baseline,
        history=compared.history,
        explore=run.graph.explore,
        left_s=sum(known_s) if len(known_s) == len(left_s) else None,
        usual_s=median(walls_s) if walls_s else None,
        left_of_fold_s=left_s.get(job.id, 0.0),
        free_s=_free_s(run, job, inputs, now_ms),
    )


def _left_s(
    state: State, run: RunState, job: Job, baseline: Finished | None, inputs: Inputs, now_ms: int
) -> float | None:
    """What a fold will likely still take: by its own epochs or others like it, else by the folds of
    the baseline. A limit says nothing of that."""
    found = forecast_job(state, run, job, now_ms, inputs.history)
    if found.source != "unknown":
        return min(found.likely_ms, job.wall_limit_ms) / 1000
    return baseline.wall_s / len(baseline.folds) if baseline and baseline.folds else None


def _is_over(run: RunState, job: Job) -> bool:
    attempt = run.current(job.id)
    return run.jobs[job.id].ended or (attempt is not None and attempt.outcome == "done")


def _fold(state: State, run: RunState, job: Job, now_ms: int) -> FoldView:
    """As `fold_view`; a fold has its result once its attempt has ended well."""
    view = fold_view(run, job, state.runs, now_ms)
    attempt = run.current(job.id)
    if not view.ended and attempt is not None and attempt.outcome == "done":
        view = replace(view, ended=True, done=True, agreement=f"{attempt.out}/{CORRECT}")
    return view


def _against(fold: FoldView, compared: Comparison, inputs: Inputs) -> FoldView:
    """With the pictures on which it and the same fold of the baseline differ, where both files
    are there."""
    baseline = compared.baseline
    theirs = [one for one in baseline.folds if one.fold == fold.fold] if baseline else []
    if not (fold.done and fold.agreement and theirs and theirs[0].agreement):
        return fold
    found = inputs.agreement(fold.agreement, theirs[0].agreement)
    if isinstance(found, str) or found.metric != compared.metric.name:
        return fold  # who has the class among the first five is not in the files
    return replace(fold, wins=found.only_ours, losses=found.only_theirs)


def _bare(run: RunState, job: Job, quiet_s: float = 0.0) -> FoldView:
    attempt, ended = run.current(job.id), _is_over(run, job)
    done = ended and run.jobs[job.id].has_result
    if attempt is None:
        return FoldView(job.id, job.fold, (), ended, done, quiet_s=quiet_s)
    reports, losses = attempt.reports, attempt.losses
    return FoldView(job.id, job.fold, reports, ended, done, quiet_s=quiet_s, added_up=losses)


def _free_s(run: RunState, job: Job, inputs: Inputs, now_ms: int) -> float | None:
    """What the account has free for it, with what is set aside for it already, in seconds of its
    devices; None where it is not known now: the ledger is not read at every report."""
    account = inputs.accounts.get(run.graph.account or "")
    balance = inputs.balances.get(run.graph.account or "")
    if account is None or balance is None:
        return None
    kept = run.allocation_of(job.id)
    held_ms = 0
    if kept is not None and kept.keeps_devices and not _is_over(run, job):
        used_ms = 0 if kept.start_ms is None else max(0, now_ms - kept.start_ms)
        held_ms = max(0, kept.amount_ms - account.cost_ms(len(kept.devices), used_ms))
    return max(0, balance.free_ms + held_ms) / max(1, account.rate_milli(job.devices))


class _Folds(Sequence[FoldView]):
    """The jobs of a group, looked at when a rule asks for them: most ask for their own only."""

    def __init__(self, run: RunState, jobs: Sequence[Job]) -> None:
        self._run = run
        self._jobs = jobs

    def __len__(self) -> int:
        return len(self._jobs)

    @overload
    def __getitem__(self, index: int) -> FoldView: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FoldView]: ...
    def __getitem__(self, index: int | slice) -> FoldView | Sequence[FoldView]:
        if isinstance(index, slice):
            return _Folds(self._run, self._jobs[index])
        return _bare(self._run, self._jobs[index])
