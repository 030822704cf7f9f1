"""`--folds`: some folds of a plan, and what depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.graph import Job
from orchestrator.plans.only_folds import NoSuchFold, only_folds, parse_folds
from tests.orchestrator.pasts import folds_graph


@pytest.mark.parametrize(
    ("text", "folds"), [("0", {0}), ("0,1", {0, 1}), ("1-3", {1, 2, 3}), (" 0, 2-3 ", {0, 2, 3})]
)
def test_folds_are_listed_or_given_as_a_range(text: str, folds: set[int]) -> None:
    assert parse_folds(text) == folds


@pytest.mark.parametrize("text", ["", "a", "-1", "1-", "0;1", "0,,1", "1.5"])
def test_what_is_no_list_of_folds_is_refused(text: str) -> None:
    with pytest.raises(NoSuchFold, match="not folds") as caught:
        parse_folds(text)
    assert caught.value.exit_code == 2


def test_the_other_folds_are_left_out_and_what_needed_them_does_without() -> None:
    graph = folds_graph(folds=5)
    trained = tuple(f"train.fold{n}" for n in range(5))
    errors = Job("errors", "errors", uses="errors", needs=trained)
    some = only_folds(replace(graph, jobs=(*graph.jobs, errors)), {0, 3})
    assert [job.id for job in some.jobs] == [
        "packed",
        "folds",
        "train.fold0",
        "train.fold3",
        "errors",
    ]
    assert some.job("errors").needs == ("train.fold0", "train.fold3")
    assert some.job("train.fold3").static_key == graph.job("train.fold3").static_key
    assert some.job("train.fold3").folds == 5
    assert "--folds 0,3" in some.plan_text


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchFold, match="no such fold") as caught:
        only_folds(folds_graph(folds=3), {1, 3})
    assert "got     3" in str(caught.value) and "0, 1, 2" in str(caught.value)
    one = replace(folds_graph(), jobs=(Job("scan", "scan"),))
    with pytest.raises(NoSuchFold):
        only_folds(one, {0})
