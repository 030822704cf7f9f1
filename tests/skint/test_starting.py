"""Starting a program does what `subprocess` does, also where it cannot be started."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from skint import shim
from skint.attempt import AttemptDir, Task
from skint.starting import start


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.fixture
def bin(tmp_path: Path) -> Iterator[Path]:
    """Programs `good` and `bad` (not executable), found by the folder of the plan."""
    folder = tmp_path / "plan" / "bin"
    folder.mkdir(parents=True)
    (folder / "good").write_text("#!/bin/sh\necho $0 $1; pwd; readlink /proc/self/fd/0\n")
    (folder / "good").chmod(0o755)
    (folder / "bad").write_text("#!/bin/sh\n")
    gc.collect()
    files, children = open_files(), psutil.Process().children()
    yield folder
    assert open_files() <= files
    assert {*psutil.Process().children()} <= {*children}  # none is left to be reaped


def said(command: tuple[str, ...], path: str, cwd: str, log: Path) -> tuple[int, str]:
    with log.open("wb") as file:
        pid = start(command, {"PATH": path}, cwd=cwd, output=file.fileno())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), log.read_text()


def as_subprocess(command: tuple[str, ...], path: str, cwd: str, log: Path) -> tuple[int, str]:
    with log.open("wb") as file:
        done = subprocess.run(
            command, env={"PATH": path}, cwd=cwd, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    return done.returncode, log.read_text()


@pytest.mark.parametrize(
    "path", ["bin:/bin:/usr/bin", "/nowhere:bin:/bin", ":/bin", f"/{'too-long' * 40}:bin:/bin"]
)
def test_a_program_is_found_by_its_own_path_from_its_own_folder(
    bin: Path, tmp_path: Path, path: str
) -> None:
    cwd = str(bin if path.startswith(":") else bin.parent)
    code, text = said(("good", "a b"), path, cwd, tmp_path / "log")
    assert code == 0
    assert text.splitlines()[1:] == [cwd, "/dev/null"]
    assert (code, text.replace("./", "")) == as_subprocess(
        ("good", "a b"), path, cwd, tmp_path / "log"
    )


@pytest.mark.parametrize(
    ("command", "path", "folder"),
    [
        (("missing",), "bin", "plan"),
        (("./missing",), "bin", "plan"),
        (("bad",), "/nowhere:bin:/bin", "plan"),
        (("bin/bad",), "", "plan"),
        (("bin",), ".", "plan"),
        (("good",), "bin", "no-plan"),
    ],
)
def test_what_cannot_be_started_raises_what_subprocess_raises(
    bin: Path, tmp_path: Path, command: tuple[str, ...], path: str, folder: str
) -> None:
    cwd, log = str(tmp_path / folder), tmp_path / "log"
    with pytest.raises(OSError) as theirs:
        as_subprocess(command, path, cwd, log)
    if folder == "no-plan":
        command = ("/bin/sh",)  # the name is looked for from there: without it, nothing is found
        theirs.value.filename = cwd
    with pytest.raises(OSError) as ours:
        said(command, path, cwd, log)
    assert str(ours.value) == str(theirs.value)
    assert type(ours.value) is type(theirs.value)


def test_a_word_that_no_program_can_be_given_is_an_error_too(bin: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        said(("/bin/sh", "a\0b"), "", str(tmp_path), tmp_path / "log")


def test_what_was_left_open_for_a_shim_is_not_open_for_its_program(tmp_path: Path) -> None:
    look = "import os; print(sorted(os.listdir('/proc/self/fd')), os.getsid(0) == os.getpid())"
    directory = AttemptDir(tmp_path / "attempt")
    directory.create(Task("a.b.1", 1, "a", "b", argv=(sys.executable, "-S", "-c", look), cwd="/"))
    descriptor = os.open("/dev/null", os.O_RDONLY)
    command = [sys.executable, "-P", "-S", shim.__file__, str(directory.path)]
    subprocess.run(command, check=True, pass_fds=[descriptor])
    os.close(descriptor)
    text = directory.log.read_text()
    assert text == "['0', '1', '2', '3'] True\n"  # 3 is that of the listing
