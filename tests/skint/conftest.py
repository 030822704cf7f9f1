"""Real attempts: a directory, a shim process, and a clean-up that leaves no process behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import skint.shim
from skint.attempt import AttemptDir, Exit, Task
from skint.process import kill_all, survivors

WAIT_S = 300.0
"""Far more than anything here takes: it only turns a hang into a failure."""


def eventually(what: Callable[[], object]) -> None:
    """Wait until it is true; fail after a long time."""
    end = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.01)


class Attempt:
    """One attempt that a test runs."""

    def __init__(self, directory: AttemptDir, task: Task) -> None:
        self.directory = directory
        self.task = task
        self.shim: subprocess.Popen[bytes] | None = None
        directory.create(task)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-P", skint.shim.__file__, str(self.directory.path)]
        self.shim = subprocess.Popen(command, start_new_session=True)
        return self.shim

    def run(self) -> Exit:
        """Run it to its end."""
        assert self.start().wait(WAIT_S) == 0
        return self.end()

    def end(self) -> Exit:
        assert self.shim is not None
        self.shim.wait(WAIT_S)
        found = self.directory.read_exit()
        assert found is not None
        return found

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        if not self.directory.events.exists():
            return []
        lines = [json.loads(line) for line in self.directory.events.read_text().splitlines()]
        return [line for line in lines if kind in ("", line["kind"])]

    def wait_for(self, name: str) -> Path:
        """Wait for a file that the job writes in its `out`."""
        file = self.directory.out / name
        eventually(lambda: file.exists() or self.directory.exit.exists())
        assert file.exists(), self.log()
        return file

    def wait_for_pid(self, name: str) -> int:
        """Wait for a file with a whole line, and read the number in it."""
        file = self.wait_for(name)
        eventually(lambda: file.read_text().endswith("\n"))
        return int(file.read_text())

    def wait_until(self, what: Callable[[], object]) -> None:
        eventually(what)

    def log(self) -> str:
        return self.directory.log.read_text()


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Callable[..., Attempt]]:
    """Makes attempts, numbered; the plan's folder is `tmp_path`."""
    made: list[Attempt] = []

    def make(**fields: Any) -> Attempt:
        name = f"{tmp_path.name}.{len(made)}"
        fields = {"cwd": str(tmp_path), "grace_s": 20.0, **fields}
        task = Task(name, 1, "run", "job", **fields)
        made.append(Attempt(AttemptDir(tmp_path / "attempts" / name), task))
        return made[-1]

    yield make
    for one in made:
        if one.shim is not None and one.shim.poll() is None:
            one.shim.kill()
            one.shim.wait()
        kill_all(survivors(one.task.attempt, one.directory.path))


@pytest.fixture
def python() -> str:
    return sys.executable


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AttemptDir]:
    """Puts this process into a new attempt, as a worker is."""

    def enter(name: str) -> AttemptDir:
        directory = AttemptDir(tmp_path / name)
        directory.create(Task(name, 1, "run", "job"))
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(directory.path))
        monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
        return directory

    return enter
