"""The wheel in a clean environment, beside a user's own `jobs.py` and `tests/`; no torch there."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.install.clean_environment import PACKAGES, build_wheel, clean_environment

pytestmark = pytest.mark.install

CLASSES = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
PER_CLASS = 6

PLAN = """\
name: colours
jobs:
  scan:   {uses: scan, with: {source: pictures}}
  packed: {uses: resize, needs: [scan], with: {size: 16}}
  folds:  {uses: folds, needs: [packed], with: {k: 3, stratify: true}}
  count:  {uses: "mywork:count", needs: [folds], with: {title: palette}}
"""

MYWORK = '''\
"""A job of the user's own, which imports a sibling."""

import json
from collections import Counter

from pydantic import BaseModel

import skint
from skint.dataset import PackedSet

from wording import sentence


class Params(BaseModel):
    title: str


@skint.job(devices=0)
def count(params: Params, ctx: skint.Context) -> None:
    packed = PackedSet.open(ctx.find("dataset.json").parent)
    labels = Counter(sample.label for sample in packed.samples)
    result = {"title": sentence(params.title), "labels": labels, "shape": packed.images().shape}
    (ctx.out / "count.json").write_text(json.dumps(result, sort_keys=True))
'''


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_environment(tmp_path_factory.mktemp("environment") / "venv", wheel)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's folder, in which names like ours are taken."""
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    for name in ("jobs.py", "tests/__init__.py", "tests/test_mine.py"):
        mine = f"raise RuntimeError('the user\\'s own {name} was imported')\n"
        (folder / name).write_text(mine)
    for label, colour in CLASSES.items():
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(PER_CLASS):
            shade = tuple(channel + number for channel in colour)
            picture = Image.new("RGB", (20 + number, 24), shade)
            picture.save(folder / "pictures" / label / f"{number}.png")
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "mywork.py").write_text(MYWORK)
    (folder / "wording.py").write_text("def sentence(title):\n    return f'A {title}.'\n")
    return folder


def call(cwd: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    """A command as a user gives it, who knows nothing of the environment of these tests."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "PYTEST")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(foreign)
    }
    return subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_every_file_that_a_package_reads_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    root = Path(__file__).resolve().parent.parent.parent
    ours = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours - names == set()


def test_the_environment_is_clean(binaries: Path, tmp_path: Path) -> None:
    done = call(tmp_path, binaries / "python", "-c", "import torch")
    assert "No module named 'torch'" in done.stderr
    done = call(tmp_path, binaries / "python", "-c", "import skint; print(skint.__file__)")
    assert done.stdout.startswith(str(binaries.parent)), done.stderr


def test_a_plan_with_a_job_of_the_users_own_runs(binaries: Path, project: Path) -> None:
    shown = call(project, binaries / "skint", "plan", "plan.yaml")
    assert shown.returncode == 0, shown.stderr
    assert "count" in shown.stdout

    done = call(project, binaries / "skint", "run", "plan.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    home = Path(os.environ["SKINT_HOME"])
    (result,) = home.rglob("count.json")
    assert json.loads(result.read_text()) == {
        "title": "A palette.",
        "labels": dict.fromkeys(CLASSES, PER_CLASS),
        "shape": [len(CLASSES) * PER_CLASS, 16, 16, 3],
    }

    again = call(project, binaries / "skint", "run", "plan.yaml")
    assert again.returncode == 0, again.stdout + again.stderr
    assert list(home.rglob("count.json")) == [result], "a job was done twice"

    status = call(project, binaries / "skint", "status")
    assert status.returncode == 0, status.stderr
    assert "colours" in status.stdout


def test_a_typo_is_told_in_words(binaries: Path, project: Path) -> None:
    (project / "plan.yaml").write_text(PLAN.replace("uses: resize", "uses: resise"))
    done = call(project, binaries / "skint", "run", "plan.yaml")
    assert done.returncode == 2
    assert "plan.yaml:4" in done.stderr
    assert "resize" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_users_module_that_ours_would_hide_is_refused(binaries: Path, project: Path) -> None:
    (project / "plan.yaml").write_text(PLAN.replace("mywork:count", "jobs:count"))
    done = call(project, binaries / "skint", "run", "plan.yaml")
    assert done.returncode == 2
    assert "jobs" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_training_without_the_extra_says_what_to_install(binaries: Path, project: Path) -> None:
    call(project, binaries / "skint", "account", "add", "demo", "--preset", "simulated")
    train = "  train:  {uses: train, needs: [folds], per: fold, devices: 1, limit: 5m}\n"
    (project / "plan.yaml").write_text(f"account: demo\n{PLAN}{train}")
    done = call(project, binaries / "skint", "run", "plan.yaml")
    assert done.returncode != 0
    assert "skint[train,weights]" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
