"""A program in the environment of another process, its streams kept apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from skint import calling
from skint.attempt import AttemptDir, Task
from skint.process import LINUX, Identity, identity

pytestmark = pytest.mark.skipif(not LINUX, reason="an environment is read from /proc")


@pytest.fixture
def shell() -> subprocess.Popen[bytes]:
    """A process with an environment of its own."""
    env = {"PATH": os.environ["PATH"], "WORD": "saltmarsh", "CUDA_VISIBLE_DEVICES": "7"}
    return subprocess.Popen(["sleep", "60"], env=env)


def who(process: subprocess.Popen[bytes]) -> Identity:
    found = identity(process.pid)
    assert found is not None
    return found


def call(folder: Path, caller: Identity, *argv: str) -> tuple[int, AttemptDir]:
    """As the shim does it: the log is standard output."""
    directory = AttemptDir(folder)
    task = Task("r.program.1", 1, "r", "program", argv=argv, cwd="", caller=asdict(caller))
    directory.create(task)
    with directory.log.open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-S", "-P", calling.__file__, str(folder)],
            stdout=log,
            stderr=log,
            timeout=300,
        )
    return done.returncode, directory


def parts(directory: AttemptDir) -> dict[str, bytes]:
    log = directory.log.read_bytes()
    found = {"o": b"", "e": b""}
    for line in directory.streams.read_text().splitlines():
        stream, start, length = line.split()
        found[stream] += log[int(start) : int(start) + int(length)]
    assert sum(map(len, found.values())) == len(log)
    return found


def test_its_environment_is_the_callers_but_for_devices_and_its_streams_are_told_apart(
    shell: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    script = 'echo "$WORD,$CUDA_VISIBLE_DEVICES,$SKINT_ATTEMPT"; echo no >&2; echo yes; kill -9 $$'
    code, directory = call(tmp_path, who(shell), "sh", "-c", script)
    shell.kill()
    assert code == 128 + signal.SIGKILL
    assert parts(directory) == {"o": b"saltmarsh,,r.program.1\nyes\n", "e": b"no\n"}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "log.txt"]
    assert [path for path in files if b"saltmarsh" in path.read_bytes()] == []


def test_what_it_prints_last_is_not_lost_and_whom_it_leaves_behind_is_not_waited_for(
    shell: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    script = "sleep 5 & head -c 300000 /dev/zero; printf end >&2"
    code, directory = call(tmp_path, who(shell), "sh", "-c", script)
    shell.kill()
    found = parts(directory)
    assert (code, len(found["o"]), found["e"]) == (0, 300_000, b"end")


def test_where_the_caller_is_gone_it_is_not_started_with_another_environment(
    shell: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    caller = who(shell)
    shell.kill()
    shell.wait()
    later = Identity(os.getpid(), caller.start_ticks, caller.boot_id)  # its pid was given out again
    for number, gone in enumerate((caller, later)):
        code, directory = call(tmp_path / str(number), gone, "touch", str(tmp_path / "ran"))
        assert code == calling.NOT_STARTED
        assert "its environment with it" in directory.events.read_text()
    assert not (tmp_path / "ran").exists()


def test_a_program_that_cannot_be_started_is_an_error_with_its_name(
    shell: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    code, directory = call(tmp_path, who(shell), "no-such-program")
    shell.kill()
    assert code == calling.NOT_STARTED
    assert "no-such-program cannot be started" in directory.events.read_text()


def test_a_program_waits_for_its_reader_as_long_as_that_lives(
    shell: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    directory, caller = AttemptDir(tmp_path), asdict(who(shell))
    reader = calling.Reader(directory, {**caller, calling.READS: True})
    much = calling.AHEAD_BYTES + 1
    assert not calling.Reader(directory, caller).is_behind(much), "nobody shows it"
    assert not reader.is_behind(calling.AHEAD_BYTES)
    assert reader.is_behind(much), "it has not begun"
    directory.read.write_text("1")
    assert not reader.is_behind(much)
    assert reader.is_behind(much + 1)
    shell.kill()
    shell.wait()
    assert not reader.is_behind(much + 1)
