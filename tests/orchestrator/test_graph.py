from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.graph import Graph
from orchestrator.plans.expand import DEFAULT_LIMIT_S, expand
from orchestrator.plans.plan import PlanError, load_plan
from tests.orchestrator.plans.samples import RIGHT, write_plan


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return expand(load_plan(write_plan(tmp_path)))


def graph_of(folder: Path, text: str) -> Graph:
    return expand(load_plan(write_plan(folder, text)))


def test_an_entry_per_fold_becomes_a_job_for_each_fold(graph: Graph) -> None:
    assert [job.id for job in graph.groups()["train"]] == [
        "train.fold0",
        "train.fold1",
        "train.fold2",
    ]
    assert [(job.fold, job.folds) for job in graph.groups()["train"]] == [(0, 3), (1, 3), (2, 3)]


def test_jobs_stand_after_what_they_need(graph: Graph) -> None:
    seen: set[str] = set()
    for job in graph.jobs:
        assert seen.issuperset(job.needs)
        seen.add(job.id)


def test_entries_keep_the_order_of_the_plan_where_needs_allow(tmp_path: Path) -> None:
    text = """
jobs:
  last: {run: "true", needs: [b, a]}
  b: {run: "true"}
  a: {run: "true"}
"""
    assert [job.id for job in graph_of(tmp_path, text).jobs] == ["b", "a", "last"]


def test_a_smoke_test_on_the_cpu_stands_before_an_accelerator_entry(graph: Graph) -> None:
    smoke = graph.job("train.smoke")
    assert (smoke.group, smoke.lane, smoke.smoke, smoke.limit_s) == (
        "train.smoke",
        "cpu",
        True,
        None,
    )
    assert smoke.fold == 0
    assert smoke.params == graph.job("train.fold0").params
    assert smoke.needs == ("folds",)
    assert all("train.smoke" in job.needs for job in graph.groups()["train"])


def test_the_smoke_test_can_be_switched_off(tmp_path: Path) -> None:
    text = RIGHT.replace("    per: fold\n", "    per: fold\n    smoke: false\n")
    assert "train.smoke" not in graph_of(tmp_path, text)


def test_an_accelerator_job_moved_to_the_cpu_has_no_smoke_test_limit_or_account(
    tmp_path: Path,
) -> None:
    text = RIGHT.replace("    limit: 2h\n", "    devices: 0\n").replace("account: lab\n", "")
    graph = graph_of(tmp_path, text)
    assert "train.smoke" not in graph
    assert {job.lane for job in graph.jobs} == {"cpu"}
    assert graph.job("train.fold0").limit_s is None


def test_a_limit_that_the_plan_does_not_give_is_marked_as_ours(tmp_path: Path) -> None:
    given = graph_of(tmp_path, RIGHT).job("train.fold0")
    assert (given.limit_s, given.limit_given) == (7200.0, True)
    ours = graph_of(tmp_path, RIGHT.replace("    limit: 2h\n", "")).job("train.fold0")
    assert (ours.limit_s, ours.limit_given) == (DEFAULT_LIMIT_S, False)


def test_an_accelerator_entry_watches_for_broken_losses_unless_told_not_to(tmp_path: Path) -> None:
    assert [rule.name for rule in graph_of(tmp_path, RIGHT).job("train.fold0").stop] == ["broken"]
    text = RIGHT.replace("    limit: 2h\n", "    stop: []\n")
    assert graph_of(tmp_path, text).job("train.fold0").stop == ()


def test_two_entries_per_fold_of_the_same_folds_go_fold_by_fold(tmp_path: Path) -> None:
    text = RIGHT + "  check: {run: 'python a.py {fold} {folds}', needs: [train], per: fold}\n"
    graph = graph_of(tmp_path, text)
    assert graph.job("check.fold1").needs == ("train.fold1",)
    assert graph.job("check.fold1").argv == ("python", "a.py", "1", "3")
    assert graph.job("errors").needs == ("train.fold0", "train.fold1", "train.fold2")


def test_a_fold_reads_what_its_own_fold_of_another_entry_has_made(tmp_path: Path) -> None:
    bands = "  bands: {uses: pca, needs: [packed, folds], per: fold}\n  train:\n"
    text = RIGHT.replace("  train:\n", bands).replace("needs: [folds]\n", "needs: [folds, bands]\n")
    graph = graph_of(tmp_path, text)
    for fold in range(3):
        inputs = graph.inputs(f"train.fold{fold}")
        assert inputs["bands"] == (f"bands.fold{fold}",)
        # Nearer than the packed set that it was made of: `ctx.find` takes it first.
        assert list(inputs) == ["folds", "bands", "packed", "scan"]
    assert graph.inputs("train.smoke")["bands"] == ("bands.fold0",)


def test_entries_per_fold_of_different_folds_are_not_matched(tmp_path: Path) -> None:
    text = RIGHT + (
        "  again: {uses: folds, needs: [train], with: {k: 2}}\n"
        "  check: {run: 'python a.py', needs: [train, again], per: fold}\n"
    )
    graph = graph_of(tmp_path, text)
    assert [job.id for job in graph.groups()["check"]] == ["check.fold0", "check.fold1"]
    needs = ("train.fold0", "train.fold1", "train.fold2", "again")
    assert graph.job("check.fold0").needs == needs


def test_the_number_of_folds_is_the_jobs_default_where_the_plan_gives_none(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, RIGHT.replace(", with: {k: 3}", ""))
    assert len(graph.groups()["train"]) == 5


def test_a_matrix_sets_parameters_and_names_its_jobs(tmp_path: Path) -> None:
    text = RIGHT.replace("    limit: 2h\n", "    matrix: {lr: [0.1, 1e-2], seed: [0]}\n")
    graph = graph_of(tmp_path, text)
    ids = [job.id for job in graph.groups()["train"]]
    assert ids[0] == "train.lr=0.1+seed=0.fold0"
    assert ids[-1] == "train.lr=0.01+seed=0.fold2"
    assert len(ids) == 6
    assert graph.job(ids[-1]).params["lr"] == 0.01
    assert graph.job(ids[-1]).matrix == {"lr": 0.01, "seed": 0}


def test_jobs_of_odd_matrix_values_have_plain_and_different_names(tmp_path: Path) -> None:
    text = "jobs: {a: {run: 'echo {x}', matrix: {x: [a b, a/b, [1, 2], '', 'ü']}}}"
    graph = graph_of(tmp_path, text)
    assert all(re.fullmatch(r"[A-Za-z0-9._=+-]+", job.id) for job in graph.jobs)
    assert len({job.id for job in graph.jobs}) == 5
    assert graph.jobs[0].argv == ("echo", "a b")


def test_only_known_placeholders_are_touched_in_a_command(tmp_path: Path) -> None:
    text = """jobs: {a: {run: "awk '{print $1}' {} {{x}} {file}", with: {file: a b}}}"""
    argv = graph_of(tmp_path, text).job("a").argv
    assert argv == ("awk", "{print $1}", "{}", "{x}", "a b")


def test_ancestors_are_told_nearest_first(graph: Graph) -> None:
    assert graph.ancestors("train.fold1") == ("folds", "train.smoke", "packed", "scan")
    assert graph.ancestors("errors")[:3] == ("train.fold0", "train.fold1", "train.fold2")


def test_a_smoke_test_hands_no_results_on(graph: Graph) -> None:
    assert graph.inputs("errors") == {
        "train": ("train.fold0", "train.fold1", "train.fold2"),
        "folds": ("folds",),
        "packed": ("packed",),
        "scan": ("scan",),
    }
    assert next(iter(graph.inputs("errors"))) == "train"


def test_a_graph_survives_json(tmp_path: Path) -> None:
    text = RIGHT.replace("    limit: 2h\n", "    stop: [broken]\n    env: [A]\n")
    graph = graph_of(tmp_path, text + "notify: {console: }\n")
    assert Graph.from_json(json.loads(json.dumps(graph.to_json()))) == graph


def test_a_graph_of_another_version_is_refused(graph: Graph) -> None:
    with pytest.raises(ValueError, match="version 99"):
        Graph.from_json({**graph.to_json(), "version": 99})


def test_importing_the_graph_costs_no_pydantic() -> None:
    program = "import sys, orchestrator.graph; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


USER_JOB = """
import skint
from pathlib import Path
from pydantic import BaseModel, FilePath

print("noise while it is imported")

class Params(BaseModel):
    rate: float
    steps: int = 10
    table: FilePath | None = None

@skint.job(devices=1, cpus=2, smoke=True)
def fit(params: Params, ctx: skint.Context) -> None:
    pass
"""


@pytest.mark.parametrize("uses", ["mine:fit", "./mine.py:fit"])
def test_a_users_job_is_described_by_a_process_of_its_own(uses: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(USER_JOB)
    text = f"account: lab\njobs: {{a: {{uses: '{uses}', with: {{rate: 1}}}}}}"
    graph = graph_of(tmp_path, text)
    job = graph.job("a")
    assert (job.lane, job.cpus, job.params) == ("accelerator", 2, {"rate": 1})
    assert graph.job("a.smoke").needs == ()
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("given", "where", "what"),
    [
        ("{steps: 1}", "rate", "this key is missing"),
        ("{rate: 1, step: 1}", "step", "unknown key"),
        ("{rate: fast}", "rate", "this value does not fit"),
        ("{rate: 1, table: none.csv}", "table", "there is no such file"),
    ],
)
def test_a_users_parameters_are_checked_against_its_schema(
    given: str, where: str, what: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(USER_JOB)
    text = f"account: lab\njobs:\n  a:\n    uses: mine:fit\n    with: {given}\n"
    with pytest.raises(PlanError) as caught:
        graph_of(tmp_path, text)
    assert (caught.value.where or "").endswith(f"plan.yaml:5:jobs.a.with.{where}")
    assert caught.value.what == what


def test_a_users_module_that_breaks_on_import_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import skint\n1 / 0\n")
    with pytest.raises(PlanError) as caught:
        graph_of(tmp_path, "jobs: {a: {uses: 'mine:fit'}}")
    assert caught.value.what == "mine:fit cannot be imported (mine.py:2)"
    assert caught.value.got == "ZeroDivisionError: division by zero"


def test_an_unrelated_module_with_one_of_our_names_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(USER_JOB)
    (tmp_path / "jobs.py").write_text("raise SystemExit('this is not to be imported')")
    text = """
account: lab
jobs:
  a: {uses: 'mine:fit', with: {rate: 1}}
  b: {uses: scan, with: {source: data}}
"""
    assert len(graph_of(tmp_path, text).jobs) == 3


def test_importing_a_module_that_ours_would_replace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import jobs\n" + USER_JOB)
    (tmp_path / "jobs.py").write_text("")
    with pytest.raises(PlanError, match="would be shadowed by skint's own package jobs"):
        graph_of(tmp_path, "jobs: {a: {uses: 'mine:fit', with: {rate: 1}}}")


EDGES = """\
account: lab
jobs:
  anew: {run: ./fit.sh, devices: 1, when-short: begin}
  goes-on: {run: ./fit.sh, devices: 1, resume: true, at-edge: finish-epoch}
"""


def test_what_resumes_is_parked_at_an_edge_unless_the_plan_says_otherwise(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, EDGES)
    anew, goes_on = graph.job("anew"), graph.job("goes-on")
    assert (anew.resumes, anew.at_edge, anew.parks) == (False, "hard-stop", False)
    assert (goes_on.resumes, goes_on.at_edge, goes_on.parks) == (True, "finish-epoch", True)
    assert (anew.when_short, goes_on.when_short) == ("begin", "wait")


def test_training_resumes_and_so_it_parks(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path, RIGHT.replace("limit: 2h", "limit: 2h\n    priority: 3\n    value: 2")
    )
    fold = graph.job("train.fold0")
    assert (fold.resumes, fold.at_edge, fold.when_short) == (True, "park", "wait")
    assert (fold.priority, fold.value) == (3, 2.0)
    assert not graph.job("train.smoke").devices


def test_a_graph_without_the_keys_of_the_queue_and_the_edge_still_loads(tmp_path: Path) -> None:
    data = graph_of(tmp_path, RIGHT).to_json()
    for job in data["jobs"]:
        for key in ("priority", "value", "resumes", "at_edge", "when_short"):
            job.pop(key, None)
    fold = Graph.from_json(json.loads(json.dumps(data))).job("train.fold0")
    assert (fold.priority, fold.value, fold.parks, fold.when_short) == (0, 1.0, False, "begin")


def test_neither_the_queue_nor_the_edge_makes_a_job_another_one(tmp_path: Path) -> None:
    more = "limit: 2h\n    priority: 3\n    value: 2\n    at-edge: hard-stop\n    when-short: begin"
    usual, other = graph_of(tmp_path, RIGHT), graph_of(tmp_path, RIGHT.replace("limit: 2h", more))
    assert [job.static_key for job in usual.jobs] == [job.static_key for job in other.jobs]
