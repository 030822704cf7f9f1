from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.graph import Graph
from orchestrator.plans.expand import expand
from orchestrator.plans.plan import PlanError, load_plan
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.defaults import DEFAULTS
from skint.errors import USAGE
from tests.orchestrator.plans.samples import RIGHT, WRONG, write_plan

GOLDEN = Path(__file__).parent / "golden" / "plan"
REWRITE = "SKINT_REWRITE_GOLDEN" in os.environ


def error_of(path: str, *sets: str) -> PlanError:
    with pytest.raises(PlanError) as caught:
        expand(load_plan(path, sets))
    return caught.value


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_plan_gets_the_golden_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(tmp_path, WRONG[name])
    monkeypatch.chdir(tmp_path)
    error = error_of("plan.yaml")
    text = f"error: {error}\n".replace(str(tmp_path), "FOLDER")
    if REWRITE:
        (GOLDEN / f"{name}.txt").write_text(text)
    assert text == (GOLDEN / f"{name}.txt").read_text()
    assert error.exit_code == USAGE


@pytest.mark.parametrize("name", WRONG)
def test_every_error_says_where_got_wanted_and_next(name: str) -> None:
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    assert lines[0].startswith("error: plan.yaml:")
    assert [line.split()[0] for line in lines[1:]] == ["got", "wanted", "next"]


def test_every_golden_error_is_of_a_plan() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(WRONG)


def test_the_command_line_prints_the_golden_error_and_exits_2(tmp_path: Path) -> None:
    write_plan(tmp_path, WRONG["unknown_parameter"])
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator.cli", "plan", "plan.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == (GOLDEN / "unknown_parameter.txt").read_text()
    assert done.stdout == ""
    assert done.returncode == USAGE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "plan.yaml", "skint-home"]


def test_a_missing_plan_names_the_plans_that_are_there(tmp_path: Path) -> None:
    write_plan(tmp_path)
    error = error_of(str(tmp_path / "paln.yaml"))
    assert error.what == "there is no such file"
    assert error.next == "in that folder: plan.yaml"


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    assert error_of(str(tmp_path)).what == "this is a folder"


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"name: a\nb: \xff\n")
    error = error_of(str(path))
    assert (error.what, error.where) == ("this is not UTF-8 text", f"{path}:2")


def test_set_replaces_a_parameter_and_adds_one(tmp_path: Path) -> None:
    path = write_plan(tmp_path)
    graph = expand(load_plan(path, ["train.epochs=7", "train.lr=1e-3"]))
    params = graph.job("train.fold1").params
    assert (params["epochs"], params["lr"]) == (7, 0.001)
    assert graph.plan_text == RIGHT + "# --set train.epochs=7\n# --set train.lr=1e-3\n"


@pytest.mark.parametrize(
    ("option", "what", "wanted"),
    [
        ("train", "this sets nothing", "ENTRY.PARAMETER=VALUE"),
        ("epochs=3", "this sets nothing", "ENTRY.PARAMETER=VALUE"),
        ("tain.epochs=3", "the plan has no entry 'tain'", "train? Or one of: errors, folds"),
        ("train.epoch=3", "unknown key", "epochs?"),
        ("train.epochs=x", "this value does not fit", "a whole number"),
        ("train.epochs=[1", "this is not YAML", "the bracket closed"),
    ],
)
def test_a_wrong_set_is_blamed_on_the_option(
    option: str, what: str, wanted: str, tmp_path: Path
) -> None:
    error = error_of(str(write_plan(tmp_path)), option)
    assert error.where == f"--set {option}"
    assert error.what.startswith(what)
    assert (error.wanted or "").startswith(wanted)


def test_an_account_of_the_command_line_replaces_the_plans(tmp_path: Path) -> None:
    plan = load_plan(write_plan(tmp_path, WRONG["accelerator_without_account"]), account="mine")
    assert expand(plan).account == "mine"


def test_a_plan_without_a_name_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my plan.v2.yaml"
    path.write_text("jobs: {a: {run: 'true'}}")
    assert load_plan(path).name == "my-plan-v2"


def test_an_empty_key_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("name: a\naccount:\nnotify: {console: }\njobs: {a: {run: 'true', with: }}")
    graph = expand(load_plan(path))
    assert graph.account is None
    assert graph.notify == {"console": {}}


def test_every_stop_rule_can_be_named_in_a_plan() -> None:
    assert set(DEFAULTS) == set(RULES)


def test_a_duration_and_an_amount_of_memory_are_read_with_their_units(tmp_path: Path) -> None:
    text = "jobs: {a: {run: 'true', limit: 1h30m, grace: 5 s, mem: 1.5 GiB}}"
    job = expand(load_plan(write_plan(tmp_path, text))).job("a")
    assert (job.limit_s, job.grace_s, job.mem_mb) == (5400.0, 5.0, 1536)


@pytest.mark.parametrize("example", ["photos", "satellite"])
def test_the_examples_are_right(example: str) -> None:
    path = Path(__file__).parents[3] / "examples" / example / "plan.yaml"
    graph: Graph = expand(load_plan(path))
    assert [len(jobs) for group, jobs in graph.groups().items() if group == "train"] == [3]


@pytest.mark.parametrize(
    ("split", "folds"), [("k: 3, repeats: 2", 6), ("holdout: 0.2", 1), ("test: 0.1", 5)]
)
def test_each_fold_of_each_repeat_is_a_job(tmp_path: Path, split: str, folds: int) -> None:
    graph = expand(load_plan(write_plan(tmp_path, RIGHT.replace("k: 3", split))))
    trained = [job for job in graph.jobs if job.group == "train"]
    assert [job.fold for job in trained] == list(range(folds))
    assert {job.folds for job in trained} == {folds}


DAMAGE = ["null", "[]", "{}", "[null]", "{a: null}", "-1", ".inf", "true", "''", "[[1]]", "{1: 2}"]
TOKENS = ["[", "]", "{", "}", ":", ",", "\n", "  ", "- ", "'", "*a", "&a ", "<<: ", "!!str ", "\t"]


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_plan_is_right_or_a_plan_error(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    text = RIGHT + "  last: {run: 'a {fold}', needs: [train], per: fold, stop: [broken]}\n"
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.7:
            values = list(re.finditer(r": ([^\n{,}]+)", text))
            found = dice.choice(values)
            text = text[: found.start(1)] + dice.choice(DAMAGE) + text[found.end(1) :]
        else:
            at = dice.randrange(len(text))
            text = text[:at] + dice.choice(TOKENS) + text[at + dice.randint(0, 3) :]
    try:
        expand(load_plan(write_plan(tmp_path, text)))
    except PlanError as error:
        assert error.where


@pytest.mark.parametrize(
    ("folder", "file", "name"),
    [
        ("seedlings 2", "plan.yaml", "seedlings-2"),
        ("seedlings", "bold.yaml", "bold"),
        ("_?", "plan.yaml", "plan"),
    ],
)
def test_a_plan_without_a_name_is_called_as_its_file_or_folder(
    tmp_path: Path, folder: str, file: str, name: str
) -> None:
    path = tmp_path / folder / file
    path.parent.mkdir()
    path.write_text("jobs: {it: {run: 'true'}}\n")
    assert load_plan(str(path)).name == name
