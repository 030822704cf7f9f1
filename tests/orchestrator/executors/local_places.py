"""A folder of runs for the local executor, and looks at what stands and runs there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from orchestrator.executors import local_processes
from orchestrator.executors.base import Submission
from orchestrator.executors.local import LocalExecutor
from skint.attempt import AttemptDir, Task
from skint.process import kill_all, survivors
from tests.terminal import until


class Place:
    """A folder of runs, as every home has one."""

    def __init__(self, path: Path) -> None:
        self.runs = path
        self.made: list[Submission] = []

    def executor(self, *, forks: bool = True) -> LocalExecutor:
        return LocalExecutor(self.runs, devices=(), cpus=1, forks=forks)

    def submission(self, script: str = "sleep 600") -> Submission:
        name = f"run-1.job{len(self.made)}.1"
        task = Task(name, 1, "run-1", "job", argv=("sh", "-c", script), cwd="/")
        folder = self.runs / "run-1" / f"job{len(self.made)}" / "1"
        self.made.append(Submission(name, (task,), (folder,), cpus=1, mem_mb=0))
        return self.made[-1]


def clean(place: Place) -> None:
    for submission in place.made:
        place.executor().cancel(submission.handle)
        kill_all(survivors(submission.name, submission.folders[0]))


def directory(submission: Submission) -> AttemptDir:
    return AttemptDir(submission.folders[0])


def condition(executor: LocalExecutor, submission: Submission) -> str:
    return executor.poll([submission.handle])[submission.name].condition


def shim_of(submission: Submission) -> int:
    pid = json.loads(directory(submission).handle.read_text())["pid"]
    assert isinstance(pid, int)
    return pid


def run(executor: LocalExecutor, submission: Submission) -> None:
    """Start it, and wait until its program runs."""
    executor.submit(submission)
    until(lambda: condition(executor, submission) == "running")
    until(lambda: bool(survivors(submission.name, submission.folders[0])))


def living(submission: Submission) -> tuple[int, ...]:
    return local_processes.living(submission.name, submission.folders[0])


def children() -> set[int]:
    """Direct children of this process, dead ones that nobody has reaped included."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(path.parent.name))
    return found
