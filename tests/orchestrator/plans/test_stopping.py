"""What a plan says under `stop`: rules, options, modes, and rules of a user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.graph import Graph, StopRule
from orchestrator.plans.expand import expand
from orchestrator.plans.plan import PlanError, load_plan
from tests.orchestrator.plans.samples import write_plan

OWN = """
print("a word of the module")

def too_slow(group, most_s=600):
    return None

NUMBER = 3
"""


def rules(tmp_path: Path, stop: str) -> tuple[StopRule, ...]:
    (tmp_path / "rules.py").write_text(OWN)
    text = f"jobs: {{a: {{run: 'true', stop: {stop}}}}}"
    return expand(load_plan(write_plan(tmp_path, text))).job("a").stop


@pytest.mark.parametrize(
    ("stop", "wanted"),
    [
        ("[]", ()),
        ("[broken]", (StopRule("broken"),)),
        ("[{broken: {mode: off}}]", ()),
        ("[{broken: {rise: 5, mode: warn}}]", (StopRule("broken", {"rise": 5}, "warn"),)),
        (
            "[{broken: {mode: ask, default: let-run, after: 1h30m}}]",
            (StopRule("broken", {}, "ask", "let-run", 5400.0),),
        ),
        (
            "['./rules.py:too_slow', {'rules:too_slow': {most_s: 60, mode: ask}}]",
            (StopRule("./rules.py:too_slow"), StopRule("rules:too_slow", {"most_s": 60}, "ask")),
        ),
    ],
)
def test_a_rule_is_read_with_its_options_and_its_mode(
    stop: str, wanted: tuple[StopRule, ...], tmp_path: Path
) -> None:
    assert rules(tmp_path, stop) == wanted


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ("[{broken: {mode: maybe}}]", ["there is no such mode", "auto, ask, warn, off"]),
        ("[{broken: {mode: ask, default: go}}]", ["no answer to a stop rule", "stop or let-run"]),
        ("[{broken: {mode: ask, after: 10}}]", ["it is not text"]),
        ("[{broken: {mode: ask, after: 0m}}]", ["nobody can answer in no time", "mode: auto"]),
        ("[{plateau: {epochs: 2.5}}]", ["'epochs' cannot be this", "a whole number of epochs"]),
        ("[{broken: {mode: ask, after: soon}}]", ["cannot read 'soon'", "a duration such as"]),
        ("[{broken: {after: 10m}}]", ["nobody answers", "does not ask", "mode: auto"]),
        ("[{broken: {mode: warn, default: stop}}]", ["nobody answers", "mode: warn"]),
        ("[{broken: {rise: 0}}]", ["'rise' cannot be this", "from 1 to"]),
        ("[{broken: {rise: much}}]", ["'rise' cannot be this", "much"]),
        ("[broken, {broken: {rise: 4}}]", ["stands here twice"]),
        ("['./rules.py:to_slow']", ["has no function to_slow", "did you mean too_slow?"]),
        ("['./rule.py:too_slow']", ["there is no file ./rule.py", "did you mean rules.py?"]),
        ("['rules:NUMBER']", ["has no function NUMBER"]),
        ("[{'rules:too_slow': {least_s: 1}}]", ["does not take these options", "least_s"]),
        ("['jobs:too_slow']", ["would be shadowed by skint's own package jobs"]),
    ],
)
def test_a_mistake_in_a_rule_is_one_error_with_its_line(
    stop: str, words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(PlanError) as caught:
        rules(tmp_path, stop)
    text = str(caught.value)
    assert [word for word in words if word not in text] == []
    assert "plan.yaml:1" in text
    assert "more" not in text.splitlines()[-1]


def test_a_run_that_explores_says_so_at_the_top_of_its_plan(tmp_path: Path) -> None:
    def graph(text: str) -> Graph:
        return expand(load_plan(write_plan(tmp_path, text)))

    assert graph("explore: true\njobs: {a: {run: 'true'}}").explore
    assert not graph("jobs: {a: {run: 'true'}}").explore
    with pytest.raises(PlanError, match="true or false"):
        graph("explore: perhaps\njobs: {a: {run: 'true'}}")


def test_a_graph_of_an_earlier_version_has_rules_that_act_by_themselves(tmp_path: Path) -> None:
    text = "jobs: {a: {run: 'true', stop: [broken]}}"
    data: dict[str, Any] = expand(load_plan(write_plan(tmp_path, text))).to_json()
    del data["explore"]
    job = {**data["jobs"][0], "stop": [{"name": "broken", "options": {}}]}
    old = Graph.from_json({**data, "version": 3, "jobs": [job]})
    assert old.job("a").stop == (StopRule("broken"),)
    assert not old.explore
