from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.executors.simulated import Script
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.plans.only_folds import only_folds
from orchestrator.plans.preview import preview
from orchestrator.submitting.asked import Asked
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.prepare import prepare
from skint.attempt import Task
from tests.orchestrator.worlds import World, kfold, training

PLAN = """
name: small
jobs:
  listed: {uses: "./mine.py:listed", with: {source: data}}
  packed: {uses: "./mine.py:packed", needs: [listed], with: {size: 128}}
"""
CODE = """
from pathlib import Path
from pydantic import BaseModel
import skint

class Params(BaseModel):
    source: Path = Path("data")
    size: int = 1

@skint.job(libraries=("numpy",))
def listed(params: Params, ctx: skint.Context) -> None: ...

@skint.job()
def packed(params: Params, ctx: skint.Context) -> None: ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("a")
    return tmp_path


def made(task: Task) -> Script:
    """What a job makes: of `listed` what stands in the folder, of `packed` its size."""
    if task.job == "listed":
        names = sorted(path.name for path in Path(task.cwd, "data").iterdir())
        return Script(seconds=5, outputs={"list": " ".join(names).encode()})
    return Script(seconds=5, outputs={"size": str(task.params["size"]).encode()})


def planned(world: World, project: Path, *sets: str) -> Prepared:
    asked = Asked(path=str(project / "plan.yaml"), sets=sets, keys=world.path / "keys")
    return prepare(asked, world.scheduler.state, world.ledger, world.clock.now_ms())


def done(world: World, project: Path, run: str, *sets: str) -> None:
    prepared = planned(world, project, *sets)
    KeptIngredients(world.path / "keys").keep(prepared.ingredients.values())
    world.settle(prepared.graph, run)


def whys(world: World, project: Path, *sets: str) -> dict[str, str]:
    expected = planned(world, project, *sets).expected
    return {one.job.id: f"{one.what}: {one.why}" for one in expected}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world", made)


def test_what_was_never_done_says_so(world: World, project: Path) -> None:
    assert whys(world, project) == {"listed": "runs: never done", "packed": "runs: needs listed"}


def test_what_is_done_is_reused_and_names_the_run(world: World, project: Path) -> None:
    done(world, project, "small-1")
    assert set(whys(world, project).values()) == {"reused: same as in small-1"}


def test_the_nearest_earlier_result_is_compared_not_the_latest(world: World, project: Path) -> None:
    done(world, project, "small-1", "packed.size=128")
    done(world, project, "small-2", "packed.size=64")
    (project / "mine.py").write_text(CODE.replace("size: int = 1", "size: int = 2"))
    found = whys(world, project, "packed.size=128")
    assert found["listed"] == "runs: mine.py changed since small-1"
    assert found["packed"] == "runs: needs listed; mine.py changed since small-1"


def test_a_job_behind_one_that_runs_says_whether_it_changed_itself(
    world: World, project: Path
) -> None:
    done(world, project, "small-1")
    (project / "data" / "b").write_text("b")
    found = whys(world, project)
    assert found["listed"] == "runs: 1 file new under data since small-1"
    assert found["packed"] == "runs: needs listed, reused if that comes out as in small-1"
    other = whys(world, project, "packed.size=64")
    assert other["packed"] == "runs: needs listed; size 128 → 64 since small-1"


def test_inputs_that_came_out_otherwise_are_named(world: World, project: Path) -> None:
    done(world, project, "small-1")
    (project / "data" / "b").write_text("b")
    prepared = planned(world, project)
    world.settle(replace(prepared.graph, jobs=prepared.graph.jobs[:1]), "small-2")
    assert whys(world, project)["packed"] == "runs: listed made something else since small-1"


def test_what_was_stopped_before_its_end_says_in_which_run(world: World, project: Path) -> None:
    world.submit(planned(world, project).graph, "small-1")
    world.until(lambda state: bool([*state.live_attempts()]))
    world.stop("small-1")
    world.until_settled("small-1")
    assert whys(world, project)["listed"] == "runs: it was stopped in small-1"


def test_a_library_of_another_version_is_a_reason(
    world: World, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(world, project, "small-1")
    fake = project / "installed" / "numpy-99.1.dist-info"
    fake.mkdir(parents=True)
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 99.1\n")
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    found = whys(world, project)
    assert found["listed"].startswith("runs: numpy ")
    assert found["listed"].endswith(" → 99.1 since small-1")
    assert found["packed"].startswith("runs: needs listed, reused")


def test_another_project_is_no_past_of_this_one(world: World, tmp_path: Path) -> None:
    for name in ("first", "second"):
        folder = tmp_path / name
        (folder / "data").mkdir(parents=True)
        (folder / "plan.yaml").write_text(PLAN)
        (folder / "mine.py").write_text(CODE)
        (folder / "data" / name).write_text(name)
    done(world, tmp_path / "first", "small-1")
    assert whys(world, tmp_path / "second")["listed"] == "runs: never done"


def test_a_fold_that_never_ran_is_not_compared_with_another_one(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(only_folds(kfold(), {0}), "first")
    found = {one.job.id: one.why for one in preview(kfold(), world.scheduler.state)}
    assert found["train.fold0"] == "same as in first"
    assert found["train.fold1"] == "never done"
