"""The checkpoint that is gone on from: whole, the newest, and brought along."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

import skint
from skint.checkpoint import (
    BEFORE,
    CheckpointError,
    bring_along,
    is_whole,
    keep,
    newest,
    partial_path,
    writing,
)

pytestmark = pytest.mark.torch


def save(out: Path, step: int) -> Path:
    torch.save({"step": step, "weights": torch.full((1000,), float(step))}, partial_path(out))
    return keep(out)


def step_of(path: Path | None) -> int:
    assert path is not None
    return int(torch.load(path, weights_only=True)["step"])


def test_the_newest_is_taken(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    for step in (1, 2, 3):
        save(tmp_path, step)
        assert step_of(newest(tmp_path)) == step
    assert step_of(tmp_path / BEFORE) == 2


@pytest.mark.parametrize("keeps", [0, 1, 100, -30, -1])
def test_one_that_was_cut_short_is_passed_over_for_the_one_before(
    tmp_path: Path, keeps: int
) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    os.truncate(path, keeps if keeps >= 0 else path.stat().st_size + keeps)
    assert not is_whole(path)
    assert step_of(newest(tmp_path)) == 1


def test_one_with_a_hole_is_passed_over(tmp_path: Path) -> None:
    """What a disk that lost power may leave: the right length, and zeros in it."""
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    content = bytearray(path.read_bytes())
    middle = content.index(torch.full((1000,), 2.0).numpy().tobytes())
    content[middle : middle + 512] = bytes(512)
    path.write_bytes(content)
    assert step_of(newest(tmp_path)) == 1


def test_a_process_that_dies_between_the_two_renames_leaves_one(tmp_path: Path) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    path.replace(tmp_path / BEFORE)
    assert step_of(newest(tmp_path)) == 2


def test_a_program_goes_on_from_what_its_previous_attempt_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert skint.resume_path() is None  # outside skint
    monkeypatch.setenv("SKINT_OUT", str(second))
    assert skint.resume_path() is None  # the first attempt
    monkeypatch.setenv("SKINT_PREVIOUS", str(first))
    assert skint.resume_path() is None  # that saved nothing
    save(first, 7)
    assert step_of(skint.resume_path()) == 7
    # Should it be lost before it saves, a third attempt finds the checkpoint in its folder.
    assert step_of(newest(second)) == 7


def test_bringing_along_leaves_what_is_there(tmp_path: Path) -> None:
    found = save(tmp_path / "first", 1)
    save(tmp_path / "second", 2)
    assert step_of(bring_along(found, tmp_path / "second")) == 2


def test_a_disk_without_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*paths: object) -> None:
        raise OSError("Operation not supported")

    found = save(tmp_path / "first", 1)
    monkeypatch.setattr(os, "link", no_links)
    path = bring_along(found, tmp_path / "second")
    assert step_of(path) == 1 and not path.samefile(found)


def test_what_is_saved_after_it_was_brought_along_leaves_the_first_as_it_was(
    tmp_path: Path,
) -> None:
    found = save(tmp_path / "first", 1)
    bring_along(found, tmp_path / "second")
    save(tmp_path / "second", 2)
    assert step_of(found) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk; tests of the callback limit files instead")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_was_filled_has_room_for_what_is_said_of_it(small_disk: Path) -> None:
    kept = save(small_disk, 1)
    partial = partial_path(small_disk)
    with pytest.raises(CheckpointError) as caught, writing(partial):
        torch.save(torch.zeros(1_000_000), partial)
    assert caught.value.got == "the disk is full"
    # While the error is still known, and with it the file that torch had opened.
    (small_disk / "events.jsonl").write_bytes(bytes(1_000_000))
    assert list(kept.parent.iterdir()) == [kept]
    assert step_of(newest(small_disk)) == 1
