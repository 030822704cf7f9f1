"""What plans came to, kept: it is what checking anew gives, whatever changes in between."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.plans.checked import MOST, Checked, checked
from orchestrator.plans.plan import PlanError
from orchestrator.plans.source import OURS
from orchestrator.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PLAN = """
name: seen
account: pool
jobs:
  scan:  {uses: scan, with: {source: data}}
  folds: {uses: folds, needs: [scan], with: {k: 3, seed: 0}}
  fit:
    run: python fit.py --table table.csv --lr {lr} --x {x}
    needs: [folds]
    per: fold
    with: {x: 2}
    matrix: {lr: [0.1, 1.0e-3]}
    devices: 1
    stop: [broken, {plateau: {mode: warn}}]
"""
OWN_JOB = """
import pydantic, skint

class Params(pydantic.BaseModel): ...

@skint.job()
def go(params: Params, ctx: skint.Context) -> None: ...
"""
OWN = "\n  mine: {uses: './own.py:go'}\n"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    folder = tmp_path / "plan"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "one.txt").write_text("1")
    (folder / "fit.py").write_text("x = 1\n")
    (folder / "table.csv").write_text("a,b\n")
    (folder / "plan.yaml").write_text(PLAN)
    return folder / "plan.yaml"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our own code stands still meanwhile, also where somebody is at work on it."""
    monkeypatch.setattr("orchestrator.plans.checked._code", list)
    return tmp_path / "checked"


def ask(plan: Path, kept: Path | None, **options: Any) -> Checked:
    settings = options.get("settings", Settings())
    return checked(str(plan), options.get("sets", ()), options.get("account"), settings, kept=kept)


def rewrite(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what is kept, with the right checksum."""
    data = json.loads(file.read_text().partition("\n")[2])
    change(data)
    text = json.dumps(data)
    file.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def mark(kept: Path) -> None:
    """From now on a graph that comes from there has another name."""
    for file in kept.iterdir():
        rewrite(file, lambda data: data["graph"].update(name="from-memory"))


@pytest.mark.parametrize("example", ["photos", "satellite", "here"])
def test_what_is_kept_is_what_checking_anew_gives(example: str, plan: Path, kept: Path) -> None:
    path = plan if example == "here" else ROOT / "examples" / example / "plan.yaml"
    anew = ask(path, None)
    assert [ask(path, kept) for _ in range(2)] == [anew] * 2
    mark(kept)
    again = ask(path, kept)
    assert again.graph.name == "from-memory"
    assert again.graph.jobs == anew.graph.jobs
    assert again.ingredients == anew.ingredients


def edit(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (edit("plan.yaml", PLAN.replace("k: 3", "k: 4")), {}),
        (edit("plan.yaml", PLAN + "# a remark\n"), {}),
        (edit("fit.py", "x = 2\n"), {}),
        (edit("table.csv", "a,c\n"), {}),
        (edit("data/two.txt", "2"), {}),
        (edit("data/one.txt", "another"), {}),
        (edit("1.0", "a parameter now names a file"), {"sets": ["fit.x='1.0'"]}),
        (None, {"sets": ["folds.k=5"]}),
        (None, {"account": "other"}),
        (None, {"settings": Settings(notify={"console": {}})}),
    ],
)
def test_whatever_changes_the_plan_is_checked_anew(
    change: Callable[[Path], object] | None, options: dict[str, Any], plan: Path, kept: Path
) -> None:
    ask(plan, kept)
    mark(kept)
    assert ask(plan, kept).graph.name == "from-memory"
    if change is not None:
        change(plan.parent)
    found = ask(plan, kept, **options)
    assert found.graph.name == "seen"
    assert found == ask(plan, None, **options)


def test_other_settings_are_other_plans(plan: Path, kept: Path) -> None:
    plan.write_text(PLAN.replace("account: pool\n", ""))
    for account in ("one", "two"):
        for _ in range(2):
            found = ask(plan, kept, settings=Settings(account=account))
            assert (found.graph.account, found.settled) == (account, ("account",))


def test_a_folder_that_is_gone_is_a_mistake_again(plan: Path, kept: Path) -> None:
    ask(plan, kept)
    shutil.rmtree(plan.parent / "data")
    with pytest.raises(PlanError, match="data"):
        ask(plan, kept)


def test_a_plan_with_a_mistake_and_one_that_asks_other_code_are_not_kept(
    plan: Path, kept: Path
) -> None:
    plan.write_text(PLAN.replace("k: 3", "k: none"))
    with pytest.raises(PlanError):
        ask(plan, kept)
    (plan.parent / "own.py").write_text(OWN_JOB)
    plan.write_text(PLAN + OWN)
    assert ask(plan, kept).graph.job("mine").uses == "./own.py:go"
    assert not kept.exists()


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\n{}"])
def test_a_damaged_file_costs_time_only(damage: bytes, plan: Path, kept: Path) -> None:
    anew = ask(plan, kept)
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    for content in (damage, whole[:-9], whole.replace(b"fold1", b"fold2")):
        file.write_bytes(content)
        assert ask(plan, kept) == anew
        assert file.read_bytes() == whole


def test_the_latest_are_kept(plan: Path, kept: Path) -> None:
    kept.mkdir()
    for number in range(MOST + 5):
        file = kept / f"{number}.json"
        file.write_text("")
        os.utime(file, (number, number))
    ask(plan, kept)
    names = {file.name for file in kept.iterdir()}
    assert len(names) == MOST
    assert not names & {"0.json", "5.json"}
    assert f"{MOST + 4}.json" in names


def test_a_change_of_our_own_code_is_seen(plan: Path, tmp_path: Path) -> None:
    code, home = tmp_path / "code", tmp_path / "home"
    for package in OURS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, code / package, ignore=ignored)
    plan.write_text("name: small\njobs:\n  one: {uses: folds, with: {k: 3}}\n")
    program = f"""
from orchestrator.plans.checked import *
checked({str(plan)!r}, (), None, Settings(), kept=Path({str(home)!r}))
"""

    def kept() -> int:
        environment = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, "-P", "-c", program], check=True, env=environment)
        return len(list(home.iterdir())) if home.exists() else 0

    assert [kept(), kept()] == [1, 1]
    file = code / "jobs" / "folds" / "job.py"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert kept() == 2
