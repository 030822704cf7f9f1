"""Optuna's own pruners as policies, where Optuna is installed: `pip install optuna scipy`."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from typing import Any

from benchmarks.stop_rules_replay.campaign import Campaign, Run
from benchmarks.stop_rules_replay.replay import Judge, Policy


def optunas_policies() -> dict[str, Policy]:
    """Successive halving hears of every look, WilcoxonPruner of every fold. Nothing without it."""
    if importlib.util.find_spec("optuna") is None:
        return {}
    return {"Optuna SuccessiveHalving": _halving, "Optuna Wilcoxon p<.1": _wilcoxon}


def _halving(campaign: Campaign, draw: random.Random) -> Judge:
    from optuna.pruners import SuccessiveHalvingPruner

    return _Pruned(SuccessiveHalvingPruner(), by_fold=False)


def _wilcoxon(campaign: Campaign, draw: random.Random) -> Judge:
    import warnings

    from optuna.exceptions import ExperimentalWarning
    from optuna.pruners import WilcoxonPruner

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return _Pruned(WilcoxonPruner(p_threshold=0.1), by_fold=True)


class _Pruned:
    def __init__(self, pruner: Any, by_fold: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.RandomSampler(seed=0)
        self._study = optuna.create_study(direction="maximize", pruner=pruner, sampler=sampler)
        self._states = optuna.trial.TrialState
        self._by_fold = by_fold
        self._finished = 0

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        trial = self._study.ask()
        steps = _fold_ends(run) if self._by_fold else _looks(run)
        for step, (number, look, value) in enumerate(steps):
            trial.report(value, step if self._by_fold else step + 1)
            last = number == len(run.folds) - 1 and look == len(run.folds[-1].scores) - 1
            if self._finished and not last and trial.should_prune():
                self._study.tell(trial, state=self._states.PRUNED)
                return number, look
        self._study.tell(trial, run.mean)
        self._finished += 1
        return None


def _fold_ends(run: Run) -> Iterator[tuple[int, int, float]]:
    for number, fold in enumerate(run.folds):
        yield number, len(fold.scores) - 1, fold.best


def _looks(run: Run) -> Iterator[tuple[int, int, float]]:
    """The mean, over the folds that have begun, of their best scores so far."""
    before = 0.0
    for number, fold in enumerate(run.folds):
        best = fold.scores[0]
        for look, score in enumerate(fold.scores):
            best = max(best, score)
            yield number, look, (before + best) / (number + 1)
        before += fold.best
