"""Which finished groups a group is compared with, and which of them is the baseline."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.baselines.book import Book, why_no_baseline
from orchestrator.baselines.comparison import Comparison
from orchestrator.state.changed import changed
from orchestrator.state.selection import with_record
from orchestrator.state.state import RunState, State
from tests.orchestrator.baselines.trained import (
    FOLD_MS,
    START_MS,
    graph_of,
    reports,
    run_of,
    state_of,
)

BEFORE = run_of(run="seedlings-1")


def new(run: str = "seedlings-9", **given: Any) -> RunState:
    """A run that has trained nothing yet."""
    return run_of((), run=run, graph=graph_of(**given), at_ms=START_MS + 10 * FOLD_MS)


def comparable(state: State, run: RunState, group: str) -> Comparison:
    """What the first group of a plan entry may be compared with."""
    job = next(job for job in run.graph.groups()[group] if not job.smoke)
    return Book().update(state).comparison(run, job)


def asked(run: RunState, *others: RunState) -> Comparison:
    return comparable(state_of(*others, run), run, "train")


def test_the_best_finished_group_is_the_baseline_and_the_others_are_history_the_oldest_first() -> (
    None
):
    good = run_of((0.9, 0.92, 0.91), run="seedlings-2", at_ms=START_MS + 2)
    poor = run_of((0.5, 0.6, 0.4), run="seedlings-3", at_ms=START_MS + 1)

    found = asked(new(), good, BEFORE, poor)

    assert found.baseline is not None
    assert found.baseline.run == "seedlings-2"
    assert [fold.best for fold in found.baseline.folds] == [0.9, 0.92, 0.91]
    assert found.baseline.wall_s == 3 * FOLD_MS / 1000
    assert [one.run for one in found.history] == ["seedlings-1", "seedlings-3"]
    assert found.refused == ()
    assert not found.why


def test_of_a_loss_the_smaller_one_is_better() -> None:
    said = {"metric": "val_loss"}
    low = run_of((0.2, 0.2, 0.2), run="seedlings-1", said=said)
    high = run_of((0.7, 0.7, 0.7), run="seedlings-2", said=said)

    found = asked(new(), low, high)

    assert not found.metric.larger_is_better
    assert found.baseline is not None and found.baseline.run == "seedlings-1"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"source": "photos2"}, "other pictures: scan: source photos → photos2"),
        ({"part": 0.5}, "other pictures: part is new"),
        ({"seed": 1}, "other folds: folds: seed 0 → 1"),
        ({"folds": 5}, "other folds: 5 here, 3 there"),
        ({"metric": "val_f1"}, "another metric: val_f1 here, val_acc there"),
    ],
)
def test_a_group_on_something_else_is_refused_saying_what_differs(
    given: Mapping[str, Any], why: str
) -> None:
    found = asked(new(**given), BEFORE)

    assert found.finished == ()
    assert found.baseline is None
    assert [(one.run, one.group, one.why) for one in found.refused] == [
        ("seedlings-1", "train", why)
    ]
    assert why in found.why


@pytest.mark.parametrize(
    "given",
    [{"size": 128}, {"lr": 0.5}, {"name": "other"}],
    ids=["pictures of another size", "another recipe", "another plan"],
)
def test_what_may_differ(given: Mapping[str, Any]) -> None:
    found = asked(new(**given), BEFORE)

    assert found.baseline is not None and found.baseline.run == "seedlings-1"


def test_pictures_made_anew_in_another_way_by_the_same_parameters_are_other_pictures() -> None:
    run = new()
    scan = replace(run.jobs["scan"], digest="there were more files this time")

    found = asked(with_record(run, "jobs", scan), BEFORE)

    assert [one.why for one in found.refused] == ["other pictures: scan made something else"]


def test_other_classes_are_refused() -> None:
    there = run_of(run="seedlings-1", said={"classes": "label: 12 classes (a91c)"})
    here = run_of(
        {0: 0.7},
        run="seedlings-2",
        said={"classes": "label: 11 classes (77e0)"},
        at_ms=START_MS + 1,
    )

    found = asked(here, there)

    assert [one.why for one in found.refused] == [
        "other classes: label: 11 classes (77e0) here, label: 12 classes (a91c) there"
    ]


def test_folds_that_validate_on_other_numbers_of_pictures_are_refused() -> None:
    here = run_of({1: 0.7}, run="seedlings-2", said={"items": 90}, at_ms=START_MS + 1)

    found = asked(here, run_of(said={"items": 100}))

    assert [one.why for one in found.refused] == [
        "fold 1 validates on 90 pictures here, on 100 there"
    ]


def test_a_group_of_which_a_fold_is_missing_is_no_baseline() -> None:
    stopped = run_of({0: 0.9, 2: 0.9}, run="seedlings-1", outcome="cancelled")

    assert asked(new(), stopped).why == "no group on the same pictures and folds has finished yet"
    assert why_no_baseline(state_of(stopped), stopped) == "2 of 3 folds of train are done"


def test_a_run_of_some_folds_only_is_no_baseline() -> None:
    part = run_of((0.9, 0.9), graph=graph_of(only=[0, 1]))

    assert asked(new(), part).baseline is None
    assert why_no_baseline(state_of(part), part) == "only 2 of 3 folds of train were asked for"


def test_a_run_of_some_folds_only_is_compared_on_those() -> None:
    before = run_of((0.7, 0.8, 0.9))

    found = asked(new(only=[0, 2]), before)

    assert found.baseline is not None
    assert [fold.best for fold in found.baseline.folds] == [0.7, 0.9]
    assert found.baseline.wall_s == 2 * FOLD_MS / 1000


def test_a_fold_without_a_number_makes_no_baseline() -> None:
    run = run_of((0.9, 0.9, 0.9))
    attempt = run.attempts["seedlings-1.train.fold1.1"]
    told = (*attempt.reports[:-1], {**attempt.reports[-1], "score": "nan"})
    run = with_record(run, "attempts", replace(attempt, reports=told))

    assert asked(new(), run).baseline is None
    assert why_no_baseline(state_of(run), run) == "a fold of train has no score that is a number"


def test_reused_results_count_like_those_that_ran() -> None:
    ran = run_of((0.9, 0.9, 0.9), run="seedlings-1", graph=graph_of(lr=1))
    mixed = run_of(
        {2: 0.93},
        run="seedlings-2",
        graph=graph_of(lr=1, epochs=3),
        at_ms=START_MS + 1,
        reused={f"train.fold{n}": f"seedlings-1.train.fold{n}.1" for n in (0, 1)},
    )

    found = asked(new(), ran, mixed)

    assert found.baseline is not None and found.baseline.run == "seedlings-2"
    assert [fold.best for fold in found.baseline.folds] == [0.9, 0.9, 0.93]
    assert found.baseline.wall_s == 3 * FOLD_MS / 1000


def test_a_run_that_reuses_all_folds_of_another_is_no_second_group() -> None:
    again = run_of(
        (),
        run="seedlings-2",
        at_ms=START_MS + 1,
        reused={f"train.fold{n}": f"seedlings-1.train.fold{n}.1" for n in range(3)},
    )

    found = asked(new(), BEFORE, again)

    assert [one.run for one in found.finished] == ["seedlings-1"]
    assert asked(again, BEFORE).finished == (), "nor is it compared with itself"


def test_of_reused_results_whose_run_is_gone_nobody_knows_the_scores() -> None:
    run = run_of((), reused={f"train.fold{n}": f"lost-1.train.fold{n}.1" for n in range(3)})

    assert why_no_baseline(state_of(run), run) == (
        "what the reused folds of train reported is not known any more"
    )


def test_each_combination_of_a_matrix_is_a_group_of_its_own() -> None:
    graph = graph_of(rates=(0.1, 0.2))
    run = run_of((0.9, 0.9, 0.9), graph=graph)

    found = Book().update(state_of(run)).comparison(run, graph.job("train.lr=0.2.fold1"))

    assert [(one.run, one.group) for one in found.finished] == [("seedlings-1", "train.lr=0.1")]
    assert [fold.fold for fold in found.finished[0].folds] == [0, 1, 2]


def test_a_job_that_is_no_fold_is_not_compared() -> None:
    graph = graph_of()
    run = run_of(graph=graph)

    assert comparable(state_of(run), run, "packed").why == "it is not split into folds"


def test_before_the_folds_are_made_nothing_is_compared() -> None:
    run = new()
    run = with_record(run, "jobs", replace(run.jobs["folds"], digest="", status="running"))

    assert asked(run, BEFORE).why == "its folds are not made yet"


# --- chosen ---------------------------------------------------------------------------------------


def chosen(run: RunState, at_ms: int = 5) -> RunState:
    return changed(run, baseline_ms=at_ms)


def test_the_newest_choice_is_the_baseline_although_another_is_better() -> None:
    best = run_of((0.9, 0.9, 0.9), run="seedlings-3")
    older = chosen(run_of((0.85, 0.85, 0.85), run="seedlings-2"), 5)
    newer = chosen(BEFORE, 6)

    found = asked(new(), newer, older, best)

    assert found.chosen
    assert found.baseline is not None and found.baseline.run == "seedlings-1"
    assert {one.run for one in found.history} == {"seedlings-2", "seedlings-3"}


def test_a_choice_that_cannot_be_compared_leaves_no_baseline_and_says_why() -> None:
    other = chosen(run_of(run="seedlings-2", graph=graph_of(seed=3)))

    found = asked(new(), BEFORE, other)

    assert found.baseline is None
    assert found.why == (
        "seedlings-2 was chosen, and cannot be compared: other folds: folds: seed 3 → 0"
    )
    assert [one.run for one in found.history] == ["seedlings-1"]


def test_a_choice_in_another_plan_does_not_hinder_this_one() -> None:
    other = chosen(run_of(run="cats-1", graph=graph_of(name="cats", source="cats")))

    found = asked(new(), BEFORE, other)

    assert found.baseline is not None and found.baseline.run == "seedlings-1"
    assert not found.chosen


def test_a_chosen_run_without_all_folds_says_so() -> None:
    part = chosen(run_of({0: 0.9}, run="seedlings-2"))

    assert asked(new(), BEFORE, part).why == (
        "seedlings-2 was chosen, and cannot be compared: 1 of 3 folds of train are done"
    )


# --- a book that is kept --------------------------------------------------------------------------


def test_a_book_that_is_kept_answers_as_a_new_one_does_whatever_happens() -> None:
    run = new()
    later = run_of((0.95, 0.95, 0.95), run="seedlings-2", at_ms=START_MS + 1)
    half = run_of({0: 0.95}, run="seedlings-2", at_ms=START_MS + 1)
    told = run_of({0: 0.7}, run=run.name, at_ms=run.submitted_ms, said={"items": 90})
    steps = [
        state_of(run),
        state_of(BEFORE, run),
        state_of(BEFORE, half, run),
        state_of(BEFORE, later, run),
        state_of(chosen(BEFORE), later, run),
        state_of(BEFORE, later, run),
        state_of(BEFORE, later, told),
        state_of(later, told),
    ]
    book = Book()
    seen = []
    for state in steps:
        kept = book.update(state).comparison(state.runs[run.name], run.graph.job("train.fold0"))
        assert kept == comparable(state, state.runs[run.name], "train")
        seen.append((kept.baseline.run if kept.baseline else None, len(kept.finished)))

    assert seen == [
        (None, 0),
        ("seedlings-1", 1),
        ("seedlings-1", 1),
        ("seedlings-2", 2),
        ("seedlings-1", 2),
        ("seedlings-2", 2),
        (None, 0),
        (None, 0),
    ]


def test_a_report_of_the_group_itself_changes_no_answer_and_nothing_is_read_again() -> None:
    run = run_of({0: 0.7}, run="seedlings-9", said={"items": 100})
    state = state_of(BEFORE, run)
    book = Book()
    first = book.update(state).comparison(run, run.graph.job("train.fold0"))
    attempt = run.attempts["seedlings-9.train.fold0.1"]
    more = (*attempt.reports, {"epoch": 3, "epochs": 3, "val_acc": 0.8, "at_ms": 1})
    run = with_record(run, "attempts", replace(attempt, reports=more))

    second = book.update(state.with_run(run)).comparison(run, run.graph.job("train.fold0"))

    assert second is first
    assert reports([0.1])[-1]["score"] == 0.1


@pytest.mark.parametrize("seed", range(20))
def test_a_kept_book_agrees_with_a_new_one_after_any_course_of_events(seed: int) -> None:
    rng = random.Random(seed)
    scores: dict[str, dict[int, float]] = {f"seedlings-{n}": {} for n in range(5)}
    graphs = {
        name: graph_of(seed=n % 2, rates=(0.1, 0.2) if n == 4 else ())
        for n, name in enumerate(scores)
    }
    runs = {
        name: run_of((), run=name, graph=graphs[name], at_ms=n) for n, name in enumerate(scores)
    }
    book, state = Book(), state_of()
    for step in range(40):
        name = rng.choice([*scores])
        if rng.random() < 0.6:  # a fold ends, or is measured once more
            scores[name][rng.randrange(3)] = rng.random()
            made = run_of(scores[name], run=name, graph=graphs[name], at_ms=runs[name].submitted_ms)
            runs[name] = changed(made, baseline_ms=runs[name].baseline_ms)
        elif rng.random() < 0.5:
            runs[name] = changed(runs[name], baseline_ms=rng.choice([None, step + 1]))
        elif state.runs and rng.random() < 0.2:
            state = State({k: v for k, v in state.runs.items() if k != name})
            assert book.update(state) is book
            continue
        state = state.with_run(runs[name])
        book.update(state)
        for run in state.runs.values():
            for job in run.graph.jobs[-1:]:
                found = book.comparison(run, job)
                assert found == Book().update(state).comparison(run, job)
                assert found.baseline is None or found.baseline in found.finished
