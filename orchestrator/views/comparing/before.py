"""The earlier runs whose results a plan would use, with what those came to and what they cost.
Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from orchestrator.baselines.attempts import attempts_of
from orchestrator.forecasts.charge import cost_of
from orchestrator.plans.preview import Expectation
from orchestrator.state.state import RunState, State
from orchestrator.views.budget.charges import unit_of
from orchestrator.views.figures import amount, figure, mean_and_spread
from orchestrator.views.local_time import local_time
from orchestrator.views.run.training import training_of

KEY_SHOWN = 8
"""Characters of a key that tell it from the others."""


@dataclass(frozen=True)
class Before:
    """What of a plan is known from one run."""

    run: str
    submitted_ms: int
    jobs: tuple[str, ...]
    """Of the plan."""
    keys: tuple[str, ...]
    metric: str
    scores: tuple[float, ...]
    """Of the jobs that have one, in their order; empty where they are of a matrix."""
    charged_ms: int
    """What these results have cost, in the milliseconds of the account that paid."""
    unit: str

    @property
    def mean(self) -> float | None:
        return fmean(self.scores) if self.scores else None

    @property
    def sd(self) -> float | None:
        return stdev(self.scores) if len(self.scores) > 1 else None


def before_of(expected: Sequence[Expectation], state: State) -> list[Before]:
    """By run, those first that have most of it: of what keeps devices; of a plan that keeps none,
    of everything."""
    costly = [one for one in expected if one.job.devices] or list(expected)
    found: dict[str, list[Expectation]] = {}
    for one in costly:
        if one.what == "reused" and one.result is not None and one.result.run in state.runs:
            found.setdefault(one.result.run, []).append(one)
    return sorted(
        (_before(state.runs[name], of, state) for name, of in found.items()),
        key=lambda before: -len(before.jobs),
    )


def _before(run: RunState, of: Sequence[Expectation], state: State) -> Before:
    judged = list(_judged(run, of, state))
    metrics = {metric for metric, _ in judged}
    alike = len(metrics) == 1 and len({str(one.job.matrix) for one in of}) == 1
    return Before(
        run=run.name,
        submitted_ms=run.submitted_ms,
        jobs=tuple(one.job.id for one in of),
        keys=tuple(one.key for one in of if one.key),
        metric=metrics.pop() if alike else "",
        scores=tuple(score for _, score in judged) if alike else (),
        charged_ms=sum(_charged_ms(state, run, one) for one in of),
        unit=unit_of(run),
    )


def _judged(run: RunState, of: Sequence[Expectation], state: State) -> Iterator[tuple[str, float]]:
    """The metric and the score of those that were trained."""
    for one in of:
        if one.result is None or one.result.job not in run.graph:
            continue
        job = run.graph.job(one.result.job)
        said = training_of(attempts_of(run, job, state.runs) or (), one.job.metric)
        trained = job.lane == "accelerator" or said.epochs is not None
        if trained and said.metric and said.value is not None and math.isfinite(said.value):
            yield said.metric, said.value


def _charged_ms(state: State, run: RunState, one: Expectation) -> int:
    assert one.result is not None
    cost = cost_of(state, one.result.attempt, run.graph.account or "")
    return cost[0] if cost is not None else 0


def sentence(before: Before) -> str:
    """ "seedlings-1, Sat 21 Nov 2026 14:02, val_acc 0.904 ± 0.006, 2.10 h charged (key 7f3a2b1c…)";
    one score alone stands without a spread."""
    parts = [before.run, local_time(before.submitted_ms)]
    if before.mean is not None:
        parts.append(f"{before.metric} {mean_and_spread(before.mean, before.sd)}")
    if before.charged_ms:
        parts.append(f"{amount(before.charged_ms, before.unit)} charged")
    keys = [f"{key[:KEY_SHOWN]}…" for key in before.keys]
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{', '.join(parts)} (key {keys[0]}{more})" if keys else ", ".join(parts)


def partly(before: Before, costly: int) -> str:
    """Of a plan of which something is to be done all the same: "2 of 3 accelerator jobs are known
    from seedlings-1 …"; `costly` is how many jobs of it keep devices."""
    scores = ", ".join(map(figure, before.scores))
    told = f", {before.metric} {scores}" if scores else ""
    saved = (
        f": {amount(before.charged_ms, before.unit)} are not spent again"
        if before.charged_ms
        else ""
    )
    return (
        f"{len(before.jobs)} of {costly} accelerator jobs from {before.run}"
        f" ({local_time(before.submitted_ms)}{told}){saved}"
    )
