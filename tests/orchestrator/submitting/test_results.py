"""Results that are to be used again are looked at first."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from orchestrator.submitting.results import GONE, has_files, is_there, wrong_with
from skint.attempt import AttemptDir, Exit, write_json
from skint.outputs import digest_of, hash_outputs, stamps_of
from tests.orchestrator.homes import LivingHome


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """`out/` of an attempt that published two files, as a shim leaves it."""
    directory = AttemptDir(tmp_path / "1")
    (directory.out / "deep").mkdir(parents=True)
    (directory.out / "images.npy").write_bytes(bytes(1000))
    (directory.out / "deep" / "b").write_bytes(b"b")
    (directory.out / "link").symlink_to("nowhere")
    (directory.out / "local").mkdir()
    (directory.out / "local" / "root").write_text("/here")
    outputs = hash_outputs(directory.out)
    write_json(directory.stamp, stamps_of(directory.out))
    write_json(directory.exit, asdict(Exit(0, "done", 0, 1, outputs, digest_of(outputs))))
    return directory.out


def kept_time(path: Path, content: bytes) -> None:
    """Other bytes, and the time of change as it was."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_result_that_nobody_touched_is_there(out: Path) -> None:
    assert wrong_with(str(out)) == "" and is_there(str(out))
    assert wrong_with(str(out), whole=True) == ""


def test_an_array_that_was_cut_short_is_found_out_by_its_size_alone(out: Path) -> None:
    kept_time(out / "images.npy", bytes(990))
    assert wrong_with(str(out)) == "images.npy is not what was published (10 bytes shorter)"
    assert not is_there(str(out))


def test_a_byte_that_was_changed_is_found_out_by_the_time_of_change(out: Path) -> None:
    (out / "images.npy").write_bytes(bytes(999) + b"1")
    os.utime(out / "images.npy", ns=(0, 0))
    assert wrong_with(str(out)) == "images.npy is not what was published"


def test_a_byte_that_changed_behind_its_time_is_found_by_reading_all(out: Path) -> None:
    kept_time(out / "images.npy", bytes(999) + b"1")
    assert wrong_with(str(out)) == "", "a look at sizes and times cannot see it"
    assert wrong_with(str(out), whole=True) == "images.npy is not what was published"


def test_damage_that_was_found_is_known_without_reading_again(out: Path) -> None:
    kept_time(out / "images.npy", bytes(999) + b"1")
    assert wrong_with(str(out), whole=True) == "images.npy is not what was published"
    assert wrong_with(str(out)) == "images.npy is not what was published", "known by now"
    (out / "images.npy").write_bytes(bytes(1000))  # somebody has put the right one back
    assert wrong_with(str(out)) == ""
    assert not AttemptDir(out.parent).damage.exists()


def test_what_cannot_be_read_is_not_used_and_not_called_damaged(out: Path) -> None:
    (out / "images.npy").unlink()
    (out / "images.npy").mkdir()
    assert wrong_with(str(out)) == f"{out}/images.npy cannot be read (Is a directory)"
    assert not AttemptDir(out.parent).damage.exists()


def test_files_that_were_only_touched_are_read_once_and_noted_anew(out: Path) -> None:
    os.utime(out / "images.npy", ns=(5, 5))
    assert wrong_with(str(out)) == ""
    noted = json.loads(AttemptDir(out.parent).stamp.read_text())
    assert noted["images.npy"] == [1000, 5]
    # Now the look believes the new time: the same size and time with other bytes pass it again.
    kept_time(out / "images.npy", bytes(999) + b"1")
    assert wrong_with(str(out)) == ""


def test_without_a_stamp_everything_is_read(out: Path) -> None:
    AttemptDir(out.parent).stamp.unlink()
    assert wrong_with(str(out)) == ""
    assert AttemptDir(out.parent).stamp.exists()
    AttemptDir(out.parent).stamp.write_text("{")
    kept_time(out / "images.npy", bytes(999) + b"1")
    assert wrong_with(str(out)) == "images.npy is not what was published"


def test_what_is_missing_is_named(out: Path) -> None:
    (out / "deep" / "b").unlink()
    assert wrong_with(str(out)) == "deep/b is missing"
    (out / "link").unlink()
    assert wrong_with(str(out)) == "2 files, deep/b among them, are missing"
    shutil.rmtree(out)
    assert wrong_with(str(out)) == GONE


def test_what_was_put_beside_it_or_is_local_does_not_count(out: Path) -> None:
    (out / "notes.txt").write_text("mine")
    (out / "local" / "root").write_text("/there")
    assert wrong_with(str(out)) == ""


def test_a_record_that_cannot_be_read_vouches_for_nothing(out: Path) -> None:
    AttemptDir(out.parent).exit.write_text("[]")
    assert wrong_with(str(out)) == "its record cannot be read"


def test_an_empty_folder_has_no_unfinished_work(tmp_path: Path) -> None:
    assert not has_files(str(tmp_path / "gone"))
    (tmp_path / "out").mkdir()
    assert not has_files(str(tmp_path / "out"))
    (tmp_path / "out" / "part").write_text("")
    assert has_files(str(tmp_path / "out"))


def test_a_damaged_result_is_made_again_and_the_run_says_so(living: LivingHome) -> None:
    jobs = (
        living.job("packed", "echo pixels > $SKINT_OUT/it"),
        living.job("stats", "cat $SKINT_INPUT_PACKED/it > $SKINT_OUT/it", "packed"),
    )
    living.begin()
    living.submit(*jobs, run="small-1")
    first = living.until_settled("small-1")
    made = Path(first.jobs["packed"].out, "it")
    assert [*json.loads(AttemptDir(made.parent.parent).stamp.read_text())] == ["it"]
    made.write_text("pix")
    living.submit(*jobs, run="small-2")
    second = living.until_settled("small-2")
    assert {name: job.status for name, job in second.jobs.items()} == {
        "packed": "done",
        "stats": "reused",
    }
    assert second.jobs["packed"].remark == (
        "made again: in packed of small-1 it is not what was published (4 bytes shorter)"
    )
    living.submit(*jobs, run="small-3")
    third = living.until_settled("small-3")
    assert third.jobs["packed"].result_of == "small-2.packed.1", "the whole one"
    assert living.store.replayed() == living.store.state()
