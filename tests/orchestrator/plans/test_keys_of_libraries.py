"""Versions of the libraries that a job names count in its key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import BUILTIN
from orchestrator.plans.describe import describe
from orchestrator.plans.source import SourceTree
from tests.orchestrator.plans.keyed_plans import HELPER, keys_of

REPOSITORY = Path(__file__).parents[3]
COUNTING = """
from pydantic import BaseModel
import skint
import helper

class Params(BaseModel):
    size: int = 1

@skint.job(libraries=("numpy", "nobody-has-this"){more})
def fit(params: Params, ctx: skint.Context) -> None:
    helper.twice(params.size)
"""
MINE = 'name: mine\naccount: lab\njobs:\n  fit: {uses: "./mine.py:fit"}\n'


def _mine(folder: Path, code: str = COUNTING.replace("{more}", "")) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(code)
    (folder / "helper.py").write_text(HELPER)
    return keys_of(folder, MINE)


def _install(folder: Path, version: str) -> str:
    """A folder for PYTHONPATH, in which numpy has this version."""
    fake = folder / version / "numpy-1.dist-info"
    fake.mkdir(parents=True, exist_ok=True)
    (fake / "METADATA").write_text(f"Metadata-Version: 2.1\nName: numpy\nVersion: {version}\n")
    return str(fake.parent)


def test_a_project_that_was_moved_and_reformatted_has_the_same_keys(tmp_path: Path) -> None:
    before = _mine(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    code = COUNTING.replace("{more}", "")
    spaced = code.replace("size: int = 1", "size:int=1  # pixels").replace("\n\n", "\n\n\n")
    assert _mine(tmp_path / "there", spaced) == before
    assert _mine(tmp_path / "there", code.replace("size: int = 1", "size: int = 2")) != before


@pytest.mark.parametrize(
    ("more", "version", "same"),
    [
        ("", "2.4.6", True),
        ("", "2.4.7", False),
        (", devices=1", "2.4.7", True),
        (", devices=1", "2.5.0", False),
    ],
)
def test_the_version_of_a_library_counts_whole_where_work_is_free_and_by_its_minor_where_it_is_not(
    more: str, version: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = COUNTING.replace("{more}", more)
    monkeypatch.setenv("PYTHONPATH", _install(tmp_path, "2.4.6"))
    before = _mine(tmp_path / "plan", code)
    monkeypatch.setenv("PYTHONPATH", _install(tmp_path, version))
    assert (_mine(tmp_path / "plan", code) == before) is same


def test_a_library_that_is_installed_later_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _mine(tmp_path / "plan")
    fake = tmp_path / "later" / "nobody_has_this-1.dist-info"
    fake.mkdir(parents=True)
    text = "Metadata-Version: 2.1\nName: nobody-has-this\nVersion: 1\n"
    (fake / "METADATA").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    assert _mine(tmp_path / "plan") != before


def test_no_library_is_imported_to_learn_its_version(tmp_path: Path) -> None:
    code = COUNTING.replace("{more}", "")
    _mine(tmp_path / "plan", code)
    script = (
        "import sys; from skint.libraries import versions_of;"
        "print(versions_of(('numpy', 'torch'))); assert 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "'numpy': '" in done.stdout


@pytest.mark.parametrize("uses", sorted(BUILTIN))
def test_a_built_in_job_names_libraries_that_are_installed_and_that_its_code_imports(
    uses: str,
) -> None:
    libraries = describe(uses, REPOSITORY).libraries
    assert libraries and all(libraries.values()), libraries
    code = "".join(path.read_text() for _, path in SourceTree(REPOSITORY).closure(uses))
    module = {"Pillow": "PIL", "imagecodecs": "tifffile"}  # tifffile decodes with it
    for name in libraries:
        found = module.get(name, name.replace("-", "_"))
        assert re.search(rf"(?:import|from) {found}\b", code), f"{uses} does not import {found}"
