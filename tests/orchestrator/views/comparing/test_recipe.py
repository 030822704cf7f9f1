"""What is not the same in several recipes."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.graph import Graph
from orchestrator.plans.differences import Record
from orchestrator.views.comparing.recipe import Row, Trained, code_changes, recipe_rows
from tests.orchestrator.pasts import folds_graph


def trained(graph: Graph) -> Trained:
    return Trained(graph, graph.job("train.fold0"))


def test_only_what_differs_is_there_and_what_is_missing_is_none() -> None:
    rows = recipe_rows(
        [
            trained(folds_graph(lr=0.1, mixup={"alpha": 0.2, "share": 0.5})),
            trained(folds_graph(lr=0.1, mixup={"alpha": 0.4, "share": 0.5}, freeze="backbone")),
            trained(folds_graph(lr=0.1, size=64)),
        ]
    )
    assert rows == [
        Row("mixup.alpha", (0.2, 0.4, None)),
        Row("mixup.share", (0.5, 0.5, None)),
        Row("freeze", (None, "backbone", None)),
        Row("packed.size", (224, 224, 64)),
    ]
    assert recipe_rows([trained(folds_graph())]) == []


def test_a_program_is_told_by_its_command() -> None:
    graph = folds_graph(folds=1)
    jobs = [
        replace(graph.jobs[-1], uses="", params={}, argv=("python", "train.py", f"--lr={lr}"))
        for lr in (1, 2)
    ]
    graphs = [replace(graph, jobs=(*graph.jobs[:-1], job)) for job in jobs]
    assert recipe_rows([trained(one) for one in graphs]) == [
        Row("uses", ("python train.py --lr=1", "python train.py --lr=2"))
    ]


def test_what_a_parameter_puts_into_a_command_is_told_once() -> None:
    graph = folds_graph(folds=1)
    jobs = [
        replace(
            graph.jobs[-1],
            uses="",
            params={"lr": lr},
            argv=("python", "train.py", f"--lr={lr}", str(lr), "0"),
        )
        for lr in (0.1, 0.2)
    ]
    graphs = [replace(graph, jobs=(*graph.jobs[:-1], job)) for job in jobs]
    assert recipe_rows([trained(one) for one in graphs]) == [Row("lr", (0.1, 0.2))]


def test_where_another_job_is_run_only_that_is_told() -> None:
    graph = folds_graph(folds=1, lr=0.1, seed=4)
    own = replace(graph.jobs[-1], uses="./mine.py:fit", params={"lr": 0.1})
    packed = replace(graph.jobs[0], uses="bands")
    other = replace(graph, jobs=(packed, graph.jobs[1], own))
    assert recipe_rows([trained(graph), trained(other)]) == [
        Row("uses", ("train", "./mine.py:fit")),
        Row("packed", ("resize", "bands")),
    ]


def test_code_and_libraries_that_changed_are_told_without_the_parameters() -> None:
    old, new = trained(folds_graph(lr=0.1)), trained(folds_graph(lr=0.2))
    records: dict[str, Record] = {}
    for one, version in ((old, "2.7"), (new, "2.8")):
        records[one.job.static_key] = {
            "version": 1,
            "params": one.job.params,
            "argv": [],
            "paths": {},
            "code": "same",
            "named_code": {},
            "libraries": {"torch": version},
            "devices": 1,
            "folds": 3,
            "fold": 0,
            "environment": {},
        }
    found = code_changes(old, new, lambda key: records.get(key), lambda digest: None)
    assert found == ["train: torch 2.7 → 2.8"]
    assert code_changes(old, new, lambda key: None, lambda key: None) == [], "it was not kept"
