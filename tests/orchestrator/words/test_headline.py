"""The one message of a run that is edited in place."""

from __future__ import annotations

from pathlib import Path

from tests.orchestrator.words.samples import folds, said, told
from tests.orchestrator.worlds import World, epochs, graph, job


def test_the_head_of_a_run_follows_it_epoch_by_epoch(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7, 0.8], [0.6, 0.8, 0.9], [0.4, 0.6, 0.7]))
    heads = told(world)
    assert said(heads, "head") == [
        "head: scan · 0 of 7 jobs done · lab: 30.00 h left (simulated)",
        "head: packed · 1 of 7 jobs done · lab: 30.00 h left (simulated)",
        "head: folds · 2 of 7 jobs done · lab: 30.00 h left (simulated)",
        "head: fold 0 (1 of 3) next · lab: 30.00 h left",
        "head: fold 0 (1 of 3) · epoch 1/3 ▮▯▯ · val_acc 0.500 ▄"
        " · 1 min 00 s charged (simulated) · lab: 29.49 h left",
        "head: fold 0 (1 of 3) · epoch 2/3 ▮▮▯ · val_acc 0.700 ▁█"
        " · 2 min 00 s charged (simulated) · 7 min to go (7–8) · lab: 29.49 h left",
        "head: fold 0 (1 of 3) · epoch 3/3 ▮▮▮ · val_acc 0.800 ▁▆█"
        " · 3 min 00 s charged (simulated) · 6 min to go · lab: 29.49 h left",
        "head: fold 1 (2 of 3) next · 1 of 3 folds done · val_acc 0.800"
        " · 3 min 30 s charged (simulated) · 7 min to go · lab: 29.49 h left",
        "head: fold 1 (2 of 3) · epoch 1/3 ▮▯▯ · val_acc 0.600 ▄ · 1 of 3 folds done"
        " · val_acc 0.800 · 4 min 30 s charged (simulated) · 6 min to go · lab: 29.43 h left",
        "head: fold 1 (2 of 3) · epoch 2/3 ▮▮▯ · val_acc 0.800 ▁█ · 1 of 3 folds done"
        " · val_acc 0.800 · 5 min 30 s charged (simulated) · 5 min to go (4–5) · lab: 29.43 h left",
        "head: fold 1 (2 of 3) · epoch 3/3 ▮▮▮ · val_acc 0.900 ▁▆█ · 1 of 3 folds done"
        " · val_acc 0.800 · 0.11 h charged (simulated) · 4 min to go (3–4) · lab: 29.43 h left",
        "head: fold 2 (3 of 3) next · 2 of 3 folds done · val_acc 0.850 ± 0.071"
        " · 0.12 h charged (simulated) · 4 min to go · lab: 29.43 h left",
        "head: fold 2 (3 of 3) · epoch 1/3 ▮▯▯ · val_acc 0.400 ▄ · 2 of 3 folds done"
        " · val_acc 0.850 ± 0.071 · 0.13 h charged (simulated) · 3 min to go · lab: 29.37 h left",
        "head: fold 2 (3 of 3) · epoch 2/3 ▮▮▯ · val_acc 0.600 ▁█ · 2 of 3 folds done"
        " · val_acc 0.850 ± 0.071 · 0.15 h charged (simulated) · 1 min to go (1–2)"
        " · lab: 29.37 h left",
        "head: fold 2 (3 of 3) · epoch 3/3 ▮▮▮ · val_acc 0.700 ▁▆█ · 2 of 3 folds done"
        " · val_acc 0.850 ± 0.071 · 0.17 h charged (simulated) · lab: 29.37 h left",
        "head: errors · 6 of 7 jobs done · 3 of 3 folds done · val_acc 0.800 ± 0.100"
        " · 0.18 h charged (simulated) · lab: 29.37 h left",
        "head: done · val_acc 0.800 ± 0.100 · 3 of 3 folds done"
        " · 0.18 h charged (simulated) · lab: 29.83 h left",
    ]
    assert [notice.final for notice in heads if notice.topic == "head"] == [False] * 16 + [True]


def test_two_folds_at_a_time_stand_in_one_head(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7], [0.6, 0.8], [0.4, 0.6]), devices=2)
    assert (
        "head: fold 0 (1 of 3) · epoch 2/2 ▮▮ · val_acc 0.700 ▁█"
        " · fold 1 (2 of 3) · epoch 2/2 ▮▮ · val_acc 0.800 ▁█"
        " · 4 min 00 s charged (simulated) · 2 min to go · lab: 28.98 h left"
    ) in said(told(world), "head")


def test_the_last_head_says_what_is_left_when_all_is_paid_and_comes_once(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs([0.5, 0.7]))
    notices = told(world, graph(job("train", devices=1, limit_s=3_600)))
    assert [notice.final for notice in notices if notice.topic == "head"] == [False] * 3 + [True]
    *_, training, last = said(notices, "head")
    assert training.endswith("lab: 28.99 h left")  # with what is reserved
    assert last == "head: done · val_acc 0.700 · 2 min 30 s charged (simulated) · lab: 29.96 h left"
