"""The recorded epoch curves, and the script that records them."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np
import pytest

from benchmarks.data.epoch_curves import CURVES, Curves, read, write
from benchmarks.data.recipes import SCHEDULES, Wanted, wanted
from benchmarks.record_curves import described, folds_of, record


@pytest.fixture(scope="module")
def curves() -> Curves:
    return read()


def test_the_recording_has_many_runs_of_several_data_sets_with_five_folds_each(
    curves: Curves,
) -> None:
    assert len({run.id for run in curves.runs}) == len(curves.runs) >= 100
    by_family = Counter(curves.sets[run.data].family for run in curves.runs)
    assert len(by_family) >= 4 and min(by_family.values()) >= 30
    assert all([fold.fold for fold in run.folds] == [0, 1, 2, 3, 4] for run in curves.runs)
    assert CURVES.stat().st_size < 3_000_000


def test_its_schedules_are_mixed_and_cycles_add_up(curves: Curves) -> None:
    often = Counter(run.schedule for run in curves.runs)
    assert set(often) == set(SCHEDULES) and min(often.values()) >= 0.05 * len(curves.runs)
    for run in curves.runs:
        assert sum(run.cycles) == (run.epochs if run.schedule == "sgdr" else 0)


def test_its_recipes_are_good_and_bad(curves: Curves) -> None:
    for name in curves.sets:
        means = [
            sum(max(fold.val_acc) for fold in run.folds) / 5
            for run in curves.runs
            if run.data == name
        ]
        assert max(means) > min(means) + 0.1
    kinds = Counter(run.kind for run in curves.runs)
    assert kinds["usual"] > kinds["wide"] > len(curves.runs) / 5
    assert kinds["shuffled"] and kinds["rate-high"] and kinds["short"]


def test_each_fold_agrees_with_itself_and_with_its_data_set(curves: Curves) -> None:
    for run in curves.runs:
        assert tuple(fold.items for fold in run.folds) == curves.sets[run.data].fold_items
        for fold in run.folds:
            for values in (fold.val_acc, fold.val_loss, fold.train_loss, fold.seconds):
                assert len(values) == run.epochs
            assert all(0 <= share <= 1 for share in fold.val_acc)
            assert all(0 < seconds < 60 for seconds in fold.seconds)
            assert fold.val_acc.index(max(fold.val_acc)) + 1 == fold.best_epoch
            assert sum(fold.right_items()) == round(max(fold.val_acc) * fold.items)


def test_losses_that_are_not_finite_are_marked(curves: Curves) -> None:
    broken = 0
    for run in curves.runs:
        for fold in run.folds:
            gaps = [
                epoch
                for epoch, pair in enumerate(zip(fold.val_loss, fold.train_loss, strict=True), 1)
                if None in pair
            ]
            assert fold.broken_epoch == (gaps[0] if gaps else None)
            assert all(isfinite(loss) for loss in fold.val_loss if loss is not None)
            broken += bool(gaps)
    assert 0 < broken < len(curves.runs)


def test_it_names_origin_and_licence_and_says_nothing_of_the_machine_but_its_processor() -> None:
    text = gzip.decompress(CURVES.read_bytes()).decode()
    sets = [json.loads(line)["set"] for line in text.splitlines() if line.startswith('{"set"')]
    assert all(one["origin"] and one["licence"] and one["items"] for one in sets)
    assert not re.search(r"/(work|root|home|tmp|Users)\b", re.sub(r'"right":"[^"]*"', "", text))


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"format":"epoch-curves","version":0}\n'))
    with pytest.raises(ValueError, match="is not epoch-curves, version 1"):
        read(path)


def test_the_list_of_recipes_is_the_one_that_was_recorded(curves: Curves) -> None:
    listed = {want.id: want for want in wanted()}
    assert all(
        (run.kind, run.schedule, run.epochs, run.recipe["rate"])
        == (want.kind, want.recipe.schedule, want.recipe.epochs, want.recipe.rate)
        for run in curves.runs
        for want in [listed[run.id]]
    )


def short(number: int, *, schedule: str, rate: float) -> Wanted:
    want = next(one for one in wanted() if one.data == "digits" and one.recipe.model == "cnn")
    recipe = replace(want.recipe, schedule=schedule, cycles=(), epochs=2, rate=rate, batch=8)
    return Wanted("digits", number, "usual", recipe)


@pytest.mark.torch
def test_two_runs_are_recorded_and_read_back_and_the_same_again(tmp_path: Path) -> None:
    import torch

    from benchmarks.data.real_sets import standard

    torch.set_num_threads(1)
    dice = np.random.default_rng(0)
    labels = np.arange(60) % 3
    items = standard(
        (dice.normal(size=(60, 1, 8, 8)) + labels[:, None, None, None]).astype(np.float32), labels
    )
    folds = folds_of(items)
    assert sum(folds).tolist() == [1] * 60  # each item is validated once
    wants = [short(1, schedule="cosine", rate=1e-3), short(2, schedule="constant", rate=1e30)]
    runs = [record(want, items, folds) for want in wants]
    path = tmp_path / "curves.jsonl.gz"
    write({"torch": "any"}, [described("digits", items, folds)], runs, path)
    found = read(path)
    assert found.runs == tuple(runs) and found.made == {"torch": "any"}
    assert found.sets["digits"].fold_items == (12,) * 5
    assert [run.folds[0].broken_epoch for run in found.runs] == [None, 1]
    again = [fold.val_loss for fold in record(wants[0], items, folds).folds]
    assert again == [fold.val_loss for fold in runs[0].folds]
