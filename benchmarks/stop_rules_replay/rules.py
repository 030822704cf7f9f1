"""The project's rules as policies: the functions of `orchestrator.stop_rules` themselves."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.stop_rules_replay.campaign import Campaign, Run
from benchmarks.stop_rules_replay.replay import Judge
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import GO_ON, Finished, FoldView, GroupView, Rule, Verdict

TOGETHER = ("broken", "chance", "curve", "beats-baseline")


@dataclass(frozen=True)
class OurRule:
    """A policy: one rule with its options."""

    rule: Rule
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, campaign: Campaign, draw: random.Random) -> Judge:
        return _Asked(self, campaign)


def together(group: GroupView, options: Mapping[str, Any]) -> Verdict:
    """The first of several rules that does not say go on, each with its defaults."""
    said = (RULES[name](group, {}) for name in TOGETHER)
    return next((verdict for verdict in said if verdict.action != "go-on"), GO_ON)


class _Asked:
    def __init__(self, policy: OurRule, campaign: Campaign) -> None:
        self._policy = policy
        self._campaign = campaign
        self._finished: list[tuple[Run, Finished]] = []
        self._best = -1

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        end = self._first_stop(run) if self._finished else None
        if end is None:
            views = tuple(_done(run, fold, None) for fold in range(len(run.folds)))
            self._finished.append((run, Finished(run.name, "train", views, run.cost)))
            if self._best < 0 or run.mean > self._finished[self._best][0].mean:
                self._best = len(self._finished) - 1
        return end

    def _first_stop(self, run: Run) -> tuple[int, int] | None:
        baseline, finished = self._finished[self._best]
        history = tuple(one for _, one in self._finished if one is not finished)
        waiting = [FoldView(f"train.fold{n}", n, (), False) for n in range(len(run.folds))]
        folds = list(waiting)
        for number, fold in enumerate(run.folds):
            # The rule says nothing inside later folds; a test asks it there all the same.
            looks = range(len(fold.scores) if number == 0 else 0)
            for look in looks:
                folds[number] = _running(run, number, look)
                if self._stops(run, folds, number, finished, history, look):
                    return number, look
            folds[number] = _done(run, number, baseline)
            last = len(fold.scores) - 1
            if number + 1 < len(folds) and self._stops(run, folds, number, finished, history, last):
                return number, last
        return None

    def _stops(
        self,
        run: Run,
        folds: Sequence[FoldView],
        number: int,
        baseline: Finished,
        history: Sequence[Finished],
        look: int,
    ) -> bool:
        campaign = self._campaign
        view = GroupView(
            "train",
            folds,
            folds[number],
            is_share=True,
            items=campaign.items,
            largest_class=campaign.largest_class,
            baseline=baseline,
            history=history,
            left_s=run.cost - run.spent(number, look),
            usual_s=campaign.usual_s,
        )
        return self._policy.rule(view, self._policy.options).action != "go-on"


def _running(run: Run, number: int, look: int) -> FoldView:
    fold = run.folds[number]
    scores = fold.scores[: look + 1]
    reports = [
        {"epoch": epoch, "train_loss": "nan" if loss is None else loss}
        for epoch, loss in enumerate(fold.losses[: look + 1], 1)
    ]
    return FoldView(
        f"train.fold{number}",
        number,
        reports,
        ended=False,
        scores=scores,
        epochs=len(fold.scores),
        schedule=run.schedule,
        best=max(scores),
        trained=fold.trained[: look + 1],
        cycle_ends=run.cycle_ends,
    )


def _done(run: Run, number: int, baseline: Run | None) -> FoldView:
    fold = run.folds[number]
    wins = losses = None
    if baseline is not None and fold.right is not None:
        other = baseline.folds[number].right
        if other is not None:
            wins, losses = (fold.right & ~other).bit_count(), (other & ~fold.right).bit_count()
    return FoldView(
        f"train.fold{number}",
        number,
        (),
        ended=True,
        done=True,
        scores=fold.scores,
        epochs=len(fold.scores),
        schedule=run.schedule,
        best=fold.best,
        trained=fold.trained,
        cycle_ends=run.cycle_ends,
        wins=wins,
        losses=losses,
    )
