"""What counts of a program that `run` starts: its code and its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.orchestrator.plans.keyed_plans import CODE, HELPER, keys_of


def test_a_script_that_run_names_counts_as_code_and_its_data_as_files(tmp_path: Path) -> None:
    text = "jobs: {a: {run: python fit.py --table=table.csv data}}"
    (tmp_path / "fit.py").write_text(CODE)
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "table.csv").write_text("a,b\n")
    keys = [keys_of(tmp_path, text)["a"]]
    (tmp_path / "fit.py").write_text(CODE.replace("# a comment", "# another"))
    assert keys_of(tmp_path, text)["a"] == keys[-1]
    (tmp_path / "helper.py").write_text(HELPER.replace("+", "*"))
    keys.append(keys_of(tmp_path, text)["a"])
    (tmp_path / "table.csv").write_text("a,b,c\n")
    keys.append(keys_of(tmp_path, text)["a"])
    (tmp_path / "data" / "new.txt").write_text("x")
    keys.append(keys_of(tmp_path, text)["a"])
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("run", "file"),
    [
        ("python ../src/train.py", "src/train.py"),
        ("python ../src/train.py", "src/beside.py"),
        ("python ../src/train.py", "src/pack/deep.py"),
        ("python ../src/train.py", "src/pack/deeper.py"),
        ("python t.py --config=conf.py", "plan/conf.py"),
        ("python t.py x=--config=conf.py", "plan/conf.py"),
        ("python -m pkg.mod", "plan/pkg/mod.py"),
        ("python -um pkg.mod", "plan/pkg/mod.py"),
        ("python -mpkg.mod", "plan/pkg/mod.py"),
        ("python -m pkg.mod", "plan/conf.py"),
        ("python -m pkg", "plan/pkg/__main__.py"),
        ('bash -c "python t.py"', "plan/t.py"),
        ('bash -c "cd . && (python t.py); true"', "plan/t.py"),
        ('bash -c "python t.py --config=conf.py"', "plan/conf.py"),
        ('bash -c "python -m pkg.mod"', "plan/pkg/mod.py"),
        ("""bash -c "sh -c 'python ../src/train.py'" """, "src/beside.py"),
        ("""bash -c "python t.py # it's" """, "plan/t.py"),
    ],
)
def test_the_code_of_a_program_counts_wherever_it_stands(
    run: str, file: str, tmp_path: Path
) -> None:
    _write_programs(tmp_path)
    text = f"jobs: {{a: {{run: {json.dumps(run)}}}}}"
    before = keys_of(tmp_path / "plan", text)
    (tmp_path / file).write_text((tmp_path / file).read_text() + "# a comment\n")
    assert keys_of(tmp_path / "plan", text) == before
    (tmp_path / file).write_text((tmp_path / file).read_text() + "more = 2\n")
    assert keys_of(tmp_path / "plan", text) != before


def _write_programs(folder: Path) -> None:
    files = {
        "src/train.py": "import beside\nfrom pack.deep import x\n",
        "src/beside.py": "",
        "src/pack/__init__.py": "",
        "src/pack/deep.py": "import pack.deeper\nx = 1\n",
        "src/pack/deeper.py": "",
        "plan/t.py": "",
        "plan/conf.py": "",
        "plan/pkg/__init__.py": "",
        "plan/pkg/__main__.py": "",
        "plan/pkg/mod.py": "import conf\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_a_data_file_inside_a_quoted_command_counts(tmp_path: Path) -> None:
    text = """jobs: {a: {run: 'bash -c "cat table.csv"'}}"""
    (tmp_path / "table.csv").write_text("a")
    before = keys_of(tmp_path, text)
    (tmp_path / "table.csv").write_text("ab")
    assert keys_of(tmp_path, text) != before


def test_an_installed_script_counts_by_size_and_time_not_by_its_imports(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.12" / "site-packages"
    folder.mkdir(parents=True)
    (folder / "tool.py").write_text("import other\n")
    (folder / "other.py").write_text("")
    text = "jobs: {a: {run: python ../lib/python3.12/site-packages/tool.py}}"
    before = keys_of(tmp_path / "plan", text)
    (folder / "other.py").write_text("x = 1\n")
    assert keys_of(tmp_path / "plan", text) == before
    (folder / "tool.py").write_text("import other  # changed\n")
    assert keys_of(tmp_path / "plan", text) != before
