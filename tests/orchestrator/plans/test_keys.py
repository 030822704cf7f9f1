from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import BUILTIN
from orchestrator.plans.describe import describe
from orchestrator.plans.expand import expand
from orchestrator.plans.keys import job_key, path_fingerprint
from orchestrator.plans.plan import load_plan
from orchestrator.plans.samples import SMALL_BYTES
from orchestrator.plans.source import SourceTree
from tests.orchestrator.plans.samples import RIGHT, write_plan

CODE = '''"""A module."""
import helper

RATE = 0.1
"""How fast."""


def fit(params, ctx):
    """Fit."""
    return helper.twice(RATE)  # a comment
'''
REPOSITORY = Path(__file__).parents[3]
HELPER = "def twice(x):\n    return x + x\n"


def keys_of(folder: Path, text: str = RIGHT) -> dict[str, str]:
    graph = expand(load_plan(write_plan(folder, text)))
    return {job.id: job.static_key for job in graph.jobs}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after.get(name)}


def test_the_same_plan_has_the_same_keys(tmp_path: Path) -> None:
    assert keys_of(tmp_path) == keys_of(tmp_path)


def test_jobs_that_differ_have_different_keys(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    ("old", "new", "jobs"),
    [
        ("name: photos", "name: other", set()),
        ("account: lab", "account: other", set()),
        ("    limit: 2h", "    limit: 3h", set()),
        ("    limit: 2h", "    cpus: 1", set()),
        ("{size: 32}", "{size: 64}", {"packed"}),
        ("epochs: 3", "epochs: 4", {"train.smoke", "train.fold0", "train.fold1", "train.fold2"}),
        ("{size: 32}", "{size: 32, mode: crop}", set()),  # the default, written out
    ],
)
def test_a_key_changes_with_what_the_result_depends_on(
    old: str, new: str, jobs: set[str], tmp_path: Path
) -> None:
    before = keys_of(tmp_path)
    assert changed(before, keys_of(tmp_path, RIGHT.replace(old, new))) == jobs


def test_a_job_of_a_sweep_shares_its_key_with_the_same_job_alone(tmp_path: Path) -> None:
    alone = keys_of(tmp_path, RIGHT.replace("epochs: 3", "lr: 0.1"))
    text = RIGHT.replace("epochs: 3", "weights: none").replace(
        "    limit: 2h\n", "    matrix: {lr: [0.1, 0.2]}\n"
    )
    sweep = keys_of(tmp_path, text)
    assert sweep["train.lr=0.1.fold1"] == alone["train.fold1"]
    assert sweep["train.lr=0.2.fold1"] != alone["train.fold1"]


def test_a_file_added_to_the_source_folder_changes_the_scan_alone(tmp_path: Path) -> None:
    before = keys_of(tmp_path)
    (tmp_path / "data" / "train" / "new.png").write_bytes(b"x")
    assert changed(before, keys_of(tmp_path)) == {"scan"}


def test_a_file_that_a_parameter_names_counts_though_no_schema_says_it_is_one(
    tmp_path: Path,
) -> None:
    text = RIGHT.replace("epochs: 3", "weights: start.pt")
    (tmp_path / "start.pt").write_bytes(b"one")
    before = keys_of(tmp_path, text)
    (tmp_path / "start.pt").write_bytes(b"another")
    assert "train.fold0" in changed(before, keys_of(tmp_path, text))


def test_a_users_network_that_a_parameter_names_counts_as_code(tmp_path: Path) -> None:
    text = RIGHT.replace("model: resnet18", "model: nets:Small")
    (tmp_path / "nets.py").write_text("class Small: depth = 1\n")
    before = keys_of(tmp_path, text)
    (tmp_path / "nets.py").write_text("class Small: depth = 1  # small\n")
    assert changed(before, keys_of(tmp_path, text)) == set()
    (tmp_path / "nets.py").write_text("class Small: depth = 2\n")
    assert "train.fold0" in changed(before, keys_of(tmp_path, text))


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


def test_a_fingerprint_sees_sizes_times_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (folder / "b").mkdir(parents=True)
    file = folder / "b" / "c.txt"
    file.write_text("one")
    os.utime(file, ns=(1, 1))
    prints = [path_fingerprint(folder)]
    assert path_fingerprint(folder) == prints[0]
    os.utime(file, ns=(2, 2))
    prints.append(path_fingerprint(folder))
    file.rename(folder / "b" / "d.txt")
    prints.append(path_fingerprint(folder))
    shutil.copytree(folder, tmp_path / "copy")
    prints.append(path_fingerprint(tmp_path / "copy"))
    prints.append(path_fingerprint(tmp_path / "absent"))
    assert len({str(p) for p in prints}) == 5


def test_a_link_to_nothing_does_not_hinder_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nothing")
    assert path_fingerprint(tmp_path)[0] == "folder"


def test_a_jobs_key_is_made_of_its_own_and_of_its_inputs_contents() -> None:
    key = job_key("s", {"scan": "1", "packed": "2"})
    assert key == job_key("s", {"packed": "2", "scan": "1"})
    others = [
        job_key("t", {"scan": "1", "packed": "2"}),
        job_key("s", {"scan": "1", "packed": "3"}),
        job_key("s", {"scan": "2", "packed": "1"}),
        job_key("s", {"scan": "1"}),
    ]
    assert len({key, *others}) == 5


def _photos(folder: Path, content: str = "pixels", at_ns: int = 5) -> Path:
    """A plan beside photographs whose times are all the same."""
    photos = folder / "data" / "train"
    photos.mkdir(parents=True, exist_ok=True)
    for number in range(40):
        (photos / f"{number:02}.tif").write_text(f"{number:02} {content}")
        os.utime(photos / f"{number:02}.tif", ns=(at_ns, at_ns))
    return folder


def test_a_project_that_was_moved_with_its_photographs_keeps_all_its_keys(tmp_path: Path) -> None:
    before = keys_of(_photos(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert keys_of(tmp_path / "there") == before
    os.utime(tmp_path / "there" / "data" / "train" / "07.tif", ns=(6, 6))
    assert changed(before, keys_of(tmp_path / "there")) == {"scan"}


def test_two_projects_whose_photographs_agree_in_all_but_contents_are_two(tmp_path: Path) -> None:
    one, other = _photos(tmp_path / "one", "pixels"), _photos(tmp_path / "other", "PIXELS")
    assert changed(keys_of(one), keys_of(other)) == {"scan"}


def test_photographs_elsewhere_count_by_their_absolute_path(tmp_path: Path) -> None:
    text = RIGHT.replace("data/train", "../photos")
    assert text != RIGHT
    for name in ("one", "other"):
        shutil.copytree(_photos(tmp_path / "source") / "data" / "train", tmp_path / name / "photos")
        (tmp_path / name / "plan").mkdir()
    plans = [tmp_path / name / "plan" for name in ("one", "other")]
    before, after = (keys_of(plan, text) for plan in plans)
    assert changed(before, after) == {"scan"}


def test_a_small_file_counts_by_its_contents_and_a_large_one_by_its_time(tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.bin"
    small.write_bytes(b"a,b")
    large.write_bytes(bytes(SMALL_BYTES + 1))
    before = [path_fingerprint(path) for path in (small, large)]
    for path in (small, large):
        os.utime(path, ns=(7, 7))
    after = [path_fingerprint(path) for path in (small, large)]
    assert after[0] == before[0] and after[1] != before[1]
    small.write_bytes(b"a,c")
    os.utime(small, ns=(7, 7))
    assert path_fingerprint(small) != before[0]


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


def test_what_tells_of_devices_is_known_on_one_account_only(tmp_path: Path) -> None:
    text = RIGHT.replace("jobs:\n", "jobs:\n  look: {uses: probe, needs: [folds]}\n", 1)
    here, there = (
        keys_of(tmp_path, text.replace("account: lab", f"account: {name}")) for name in "ab"
    )
    assert changed(here, there) == {"look"}
