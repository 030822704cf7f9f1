from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from orchestrator.plans.keys import job_key, path_fingerprint
from orchestrator.plans.samples import SMALL_BYTES
from tests.orchestrator.plans.keyed_plans import changed, keys_of
from tests.orchestrator.plans.samples import RIGHT


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


def test_what_tells_of_devices_is_known_on_one_account_only(tmp_path: Path) -> None:
    text = RIGHT.replace("jobs:\n", "jobs:\n  look: {uses: probe, needs: [folds]}\n", 1)
    here, there = (
        keys_of(tmp_path, text.replace("account: lab", f"account: {name}")) for name in "ab"
    )
    assert changed(here, there) == {"look"}
