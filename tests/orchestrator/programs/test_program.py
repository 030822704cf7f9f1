"""A program as a run of one job, and as a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.graph import Graph
from orchestrator.plans.expand import expand
from orchestrator.plans.plan import load_plan
from orchestrator.programs.program import JOB, Program, as_plan, called_by, graph_of
from skint.process import Identity

SHELL = Identity(4711, "99", "boot")


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("python", "src/train.py", "--lr", "3"), "train"),
        (("./run.sh",), "run"),
        (("/usr/bin/python3", "-m", "timm"), "python3"),
        (("nice", "python", "a b.py"), "a-b"),
        (("python", "-c", "print(1)"), "python"),
        (("python", "--config=x.py"), "python"),
        (("---",), "exec"),
    ],
)
def test_its_runs_are_called_after_its_script_or_itself(argv: tuple[str, ...], name: str) -> None:
    assert Program(argv, "/").name == name


def test_the_plan_that_is_shown_of_it_does_the_same(tmp_path: Path) -> None:
    argv = ("python", "it's a {fold}.py", '"x": {y}', "$HOME", "é\n")
    program = Program(argv, str(tmp_path), 2, 5400.0, "lab", grace_s=10.0, cpus=3, park=True)
    (tmp_path / "plan.yaml").write_text(as_plan(program))
    (planned,) = expand(load_plan(tmp_path / "plan.yaml")).jobs
    (ours,) = graph_of(program, "1", SHELL).jobs
    same = replace(planned, static_key=ours.static_key, caller=ours.caller, when_short="begin")
    assert same == ours


def test_what_one_has_done_is_never_used_in_place_of_another() -> None:
    program = Program(("true",), "/")
    first, second = (graph_of(program, unique, SHELL).job(JOB) for unique in ("1", "2"))
    assert first.static_key != second.static_key


def test_who_gives_the_environment_travels_with_the_graph_and_no_value_does() -> None:
    graph = called_by(graph_of(Program(("true",), "/"), "1", SHELL), Identity(1, "2", "boot"))
    read = Graph.from_json(graph.to_json())
    assert read.job(JOB).caller == {"pid": 1, "start_ticks": "2", "boot_id": "boot"}
    assert read == graph
