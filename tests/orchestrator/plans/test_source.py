"""Code counts by what it says, with all that it imports."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.plans.source import SourceTree
from tests.orchestrator.plans.keyed_plans import CODE, HELPER, changed

REPOSITORY = Path(__file__).parents[3]


def test_to_ask_for_an_installed_module_does_not_make_it_first_party(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import yaml\n")
    sources = SourceTree(tmp_path)
    assert not sources.stands_beside_the_plan("yaml:load")
    assert [name for name, _ in sources.closure("mine:fit")] == ["mine"]


def test_the_template_of_the_report_counts_for_the_job_that_writes_it(tmp_path: Path) -> None:
    for package in ("jobs", "orchestrator", "skint"):
        shutil.copytree(
            REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    before = _digests_in(tmp_path)
    template = tmp_path / "jobs" / "errors" / "report.html.j2"
    template.write_text(template.read_text() + "<p>more</p>\n")
    after = _digests_in(tmp_path)
    assert changed(before, after) == {"errors"}


def _digests_in(folder: Path) -> dict[str, str]:
    """What a fresh process, whose packages are those in `folder`, says of two built-in jobs."""
    code = (
        "from pathlib import Path; from orchestrator.plans.source import SourceTree as S;"
        "print(*(S(Path('plan')).digest(name) for name in ('errors', 'train')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return dict(zip(("errors", "train"), done.stdout.split(), strict=True))


@pytest.mark.parametrize(
    ("file", "old", "new", "same"),
    [
        ("mine.py", "  # a comment", "", True),
        ("mine.py", '"""Fit."""', '"""Fit a line."""', True),
        ("mine.py", '"""How fast."""\n', "", True),
        ("mine.py", "\n\n\n", "\n\n\n\n\n", True),
        ("mine.py", "0.1", "0.2", False),
        ("helper.py", "x + x", "x * 2", False),
        ("helper.py", "x + x", "(x + x)", True),
    ],
)
def test_code_counts_by_its_syntax_tree(
    file: str, old: str, new: str, same: bool, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "helper.py").write_text(HELPER)
    before = SourceTree(tmp_path).digest("mine:fit")
    path = tmp_path / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert (SourceTree(tmp_path).digest("mine:fit") == before) is same


def test_the_import_closure_is_followed_through_packages_without_importing(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (tmp_path / "unrelated.py").write_text("")
    (tmp_path / "mine.py").write_text("def fit(p, c):\n    from pack import deep\n")
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "deep.py").write_text("from . import sibling\nfrom .sibling import x\nimport json\n")
    (package / "sibling.py").write_text(
        "import typing\nif typing.TYPE_CHECKING:\n    import other\n"
    )
    (tmp_path / "other.py").write_text("")
    names = [name for name, _ in SourceTree(tmp_path).closure("mine:fit")]
    assert names == ["mine", "pack", "pack.deep", "pack.sibling"]


def test_the_closure_of_a_built_in_job_is_ours_alone(tmp_path: Path) -> None:
    names = [name for name, _ in SourceTree(tmp_path).closure("resize")]
    assert "jobs.resize.job" in names
    assert "skint.dataset" in names
    assert "jobs.train.job" not in names
    assert {name.partition(".")[0] for name in names} == {"jobs", "skint"}


def test_training_depends_on_the_code_that_it_imports_late(tmp_path: Path) -> None:
    names = [name for name, _ in SourceTree(tmp_path).closure("train")]
    assert {"jobs.training.fitting.fold", "jobs.training.smoke.rehearsal"} <= set(names)


def test_a_file_with_a_syntax_error_counts_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def fit(:\n")
    before = SourceTree(tmp_path).digest("mine:fit")
    (tmp_path / "mine.py").write_text("def fit(::\n")
    assert SourceTree(tmp_path).digest("mine:fit") != before
