"""The project's own recorded epoch curves as campaigns."""

from __future__ import annotations

from itertools import accumulate

from benchmarks.data import epoch_curves
from benchmarks.stop_rules_replay.campaign import Campaign, Fold, Run

TUNED_ON = frozenset({"breast-cancer", "digits", "fashion", "signs"})
"""Families: every second one in the order of the alphabet."""


def read() -> list[Campaign]:
    curves = epoch_curves.read()
    return [
        Campaign(
            name,
            data.family,
            min(data.fold_items),
            tuple(_run(run) for run in curves.runs if run.data == name),
            data.largest_class,
        )
        for name, data in curves.sets.items()
        if any(run.data == name for run in curves.runs)
    ]


def _run(run: epoch_curves.Run) -> Run:
    return Run(
        run.id,
        f"{run.schedule} {run.epochs}",
        tuple(_fold(fold) for fold in run.folds),
        tuple(accumulate(run.cycles)),
    )


def _fold(fold: epoch_curves.FoldCurve) -> Fold:
    bits = "".join("01"[right] for right in fold.right_items())
    spent = tuple(accumulate(fold.seconds))
    return Fold(fold.val_acc, spent, losses=fold.train_loss, right=int(bits, 2))
