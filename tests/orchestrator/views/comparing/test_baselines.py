"""What a run is compared with, in words."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.baselines.book import Book
from orchestrator.graph import Graph, StopRule
from orchestrator.state.changed import changed
from orchestrator.state.state import RunState
from orchestrator.views.comparing.baselines import comparisons_of, lines, planned_comparisons
from tests.orchestrator.baselines.trained import digest_of, graph_of, run_of, state_of

BEFORE = run_of((0.9, 0.91, 0.92), graph=graph_of(), run="seedlings-1")


def with_rules(graph: Graph) -> Graph:
    jobs = [changed(job, stop=(StopRule("beats-baseline"),)) for job in graph.jobs]
    return changed(graph, jobs=tuple(jobs))


def planned(graph: Graph, *runs: RunState, made: bool = True) -> list[str]:
    digests = {job.id: digest_of(graph, job) for job in graph.jobs if made}
    found = planned_comparisons(Book().update(state_of(*runs)), graph, digests)
    return [f"{head}: {sentence}" for head, sentence in lines(found)]


def test_a_plan_says_its_baseline_with_score_and_hours() -> None:
    assert planned(graph_of(lr=1), BEFORE) == ["baseline: seedlings-1 (0.910 ± 0.010, 0.5 h)"]


def test_a_chosen_baseline_is_said_to_be_chosen() -> None:
    chosen = changed(BEFORE, baseline_ms=1)

    (line,) = planned(graph_of(lr=1), chosen)

    assert line == "baseline: seedlings-1 (0.910 ± 0.010, 0.5 h), chosen"


@pytest.mark.parametrize(
    ("given", "runs", "said"),
    [
        ({}, (), "no baseline yet: beats-baseline will not fire"),
        (
            {"seed": 4},
            (BEFORE,),
            "no baseline yet: beats-baseline will not fire; seedlings-1 cannot be compared:"
            " other folds: folds: seed 0 → 4",
        ),
        (
            {"seed": 4},
            (changed(BEFORE, baseline_ms=1),),
            "no baseline: beats-baseline will not fire; seedlings-1 was chosen, and cannot be"
            " compared: other folds: folds: seed 0 → 4",
        ),
    ],
)
def test_where_there_is_none_it_says_why_and_what_that_means(
    given: dict[str, Any], runs: tuple[RunState, ...], said: str
) -> None:
    assert planned(with_rules(graph_of(**given)), *runs) == [f"baseline: {said}"]


def test_no_rule_is_named_that_the_plan_does_not_have() -> None:
    assert planned(graph_of()) == ["baseline: no baseline yet"]


def test_before_the_folds_are_made_nobody_knows() -> None:
    assert planned(graph_of(), BEFORE, made=False) == ["baseline: known when its folds are made"]


def test_each_combination_of_a_matrix_has_its_line() -> None:
    graph = graph_of(rates=(0.1, 0.2))
    run = run_of((0.7, 0.7, 0.7), graph=graph, run="seedlings-2")

    found = comparisons_of(Book().update(state_of(run)), run)

    assert [*lines(found)] == [
        ("baseline of train.lr=0.1", "train.lr=0.2 of seedlings-2 (0.700 ± 0.000, 0.5 h)"),
        ("baseline of train.lr=0.2", "train.lr=0.1 of seedlings-2 (0.700 ± 0.000, 0.5 h)"),
    ]
