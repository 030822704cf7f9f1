"""Where the contract of executors is tried: this machine, and simulated engines with their faults.

A ground knows what an executor is not to be asked: what really ran, and how to break things.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from orchestrator.clock import Clock, SimulatedClock, SystemClock
from orchestrator.executors.base import (
    Capabilities,
    Executor,
    ExecutorUnreachable,
    Handle,
    Observation,
    Submission,
)
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.simulated import Faults, Script, SimulatedEngine, SimulatedExecutor
from skint.attempt import AttemptDir, StopRequest, Task
from skint.process import identity, kill_all, survivors

PROGRAM = Path(__file__).with_name("program.py")
STOP = StopRequest("step", "end", "cancelled")
KILL = StopRequest("kill", "end", "cancelled")
TRIES = 5_000
"""Only turns a hang into a failure: a minute and a half of this machine, hours of a simulation."""

T = TypeVar("T")


class Ground(ABC):
    clock: Clock
    capabilities: Capabilities

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handles: list[Handle] = []

    @abstractmethod
    def connect(self) -> Executor:
        """An executor that remembers nothing, as after a restart."""

    @abstractmethod
    def started(self) -> list[str]:
        """The attempts that were started, each as often as it was."""

    @abstractmethod
    def wait_for_stubborn(self, handle: Handle) -> None:
        """Until a `stubborn` job has come to ignore signals."""

    @abstractmethod
    def lose(self, handle: Handle) -> None:
        """Break what watches over a running `stubborn` job."""

    @abstractmethod
    def is_running(self, handle: Handle) -> bool:
        """Whether any process of a `stubborn` job is really there."""

    @abstractmethod
    def pause(self) -> None:
        """Let some time pass."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind."""

    def submission(self, *jobs: str, limit_s: float | None = None, name: str = "") -> Submission:
        """Each job is a function in `program.py`."""
        tasks = tuple(
            Task(
                attempt=f"run-1.{job}{n or ''}.7",
                fence=7,
                run="run-1",
                job=job,
                argv=(sys.executable, "-S", str(PROGRAM), job, str(self.path / "runs.txt")),
                cwd=str(self.path),
                limit_s=limit_s,
                grace_s=0.5 if limit_s else 30.0,
            )
            for n, job in enumerate(jobs)
        )
        folders = tuple(
            self.path / "runs" / "run-1" / task.attempt.split(".")[1] / "7" for task in tasks
        )
        made = Submission(name or tasks[0].attempt, tasks, folders, cpus=1, mem_mb=64)
        self.handles.append(made.handle)
        return made

    def until(self, what: Callable[[], T | None]) -> T:
        """Let time pass until there is an answer; one that does not come is asked for again."""
        for _ in range(TRIES):
            try:
                answer = what()
            except ExecutorUnreachable:
                answer = None
            if answer is not None and answer is not False:
                return answer
            self.pause()
        raise AssertionError("it never came to that")

    def do(self, what: Callable[[], object]) -> None:
        """Do it, again and again if no answer comes."""
        self.until(lambda: (what(),))

    def until_seen(self, executor: Executor, handle: Handle, *conditions: str) -> Observation:
        def look() -> Observation | None:
            seen = executor.poll([handle])[handle.name]
            return seen if seen.condition in conditions else None

        return self.until(look)


class LocalGround(Ground):
    capabilities = LocalExecutor.capabilities

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.clock = SystemClock()

    def pause(self) -> None:
        self.clock.sleep(0.02)

    def connect(self) -> Executor:
        return LocalExecutor(self.path / "runs", devices=(), cpus=2)

    def started(self) -> list[str]:
        runs = self.path / "runs.txt"
        return runs.read_text().split() if runs.exists() else []

    def pids(self, handle: Handle) -> list[int]:
        files = [AttemptDir(handle.folders[0]).out / name for name in ("main", "daemon")]
        self.until(lambda: all(f.exists() and f.read_text().endswith("\n") for f in files))
        return [int(file.read_text()) for file in files]

    def wait_for_stubborn(self, handle: Handle) -> None:
        self.pids(handle)

    def lose(self, handle: Handle) -> None:
        """Kill the shim; the kernel takes its worker along, and the daemon lives on."""
        _, daemon = self.pids(handle)
        shim = json.loads(AttemptDir(handle.folders[0]).handle.read_text())["pid"]
        os.kill(shim, signal.SIGKILL)
        assert identity(daemon) is not None

    def is_running(self, handle: Handle) -> bool:
        return any(identity(pid) is not None for pid in self.pids(handle))

    def close(self) -> None:
        executor = self.connect()
        for handle in self.handles:
            executor.cancel(handle)
            for attempt, folder in zip(handle.attempts, handle.folders, strict=True):
                kill_all(survivors(attempt, folder))


class SimulatedGround(Ground):
    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__(path)
        self.clock: SimulatedClock = SimulatedClock(1_795_219_200_000)
        self.capabilities = faults.capabilities
        self.engine = SimulatedEngine(self.clock, script_of, faults=faults, seed=1)

    def pause(self) -> None:
        self.clock.advance(1)

    def close(self) -> None:
        """It is gone with its engine."""

    def connect(self) -> Executor:
        return SimulatedExecutor(self.engine)

    def started(self) -> list[str]:
        return self.engine.starts

    def wait_for_stubborn(self, handle: Handle) -> None:
        self.until(lambda: self.is_running(handle))

    def lose(self, handle: Handle) -> None:
        self.engine.lose(handle.name)

    def is_running(self, handle: Handle) -> bool:
        held = self.engine.submissions[handle.name]
        (attempt,) = held.attempts
        now_ms = self.clock.now_ms()
        return held.lost_ms is None and attempt.start_ms <= now_ms < attempt.end_ms


def script_of(task: Task) -> Script:
    """The same as `program.py` does."""
    outputs = {"folder/result": task.attempt.encode()}
    lines = tuple((n * 5.0, {"kind": "report", "values": {"epoch": n}}) for n in (1, 2, 3))
    return {
        "short": Script(seconds=20, lines=lines, outputs=outputs),
        "listener": Script(seconds=1e6, outputs={"saved": b"whole"}),
        "stubborn": Script(seconds=900, stops_after_s=None),
        "waiter": Script(seconds=20, lines=lines, outputs=outputs, prepare_s=5),
        "failing": Script(code=3),
    }[task.job]


GROUNDS: dict[str, Callable[[Path], Ground]] = {
    "local": LocalGround,
    "simulated": lambda path: SimulatedGround(path, Faults()),
    "no-shared-disk": lambda path: SimulatedGround(
        path, Faults(capabilities=Capabilities(shared_disk=False))
    ),
    "no-hard-cancel": lambda path: SimulatedGround(
        path, Faults(capabilities=Capabilities(hard_cancel=False))
    ),
    "together": lambda path: SimulatedGround(
        path, Faults(capabilities=Capabilities(together=True), lost_submit_share=0.5)
    ),
    "several-attempts": lambda path: SimulatedGround(
        path, Faults(capabilities=Capabilities(attempts_per_allocation=3))
    ),
    "standby": lambda path: SimulatedGround(
        path, Faults(capabilities=Capabilities(standby=True), lost_submit_share=0.5)
    ),
    "slow": lambda path: SimulatedGround(path, Faults(start_delay_s=7, answer_delay_s=30)),
    "lossy": lambda path: SimulatedGround(
        path, Faults(lost_submit_share=0.5, unsent_submit_share=0.4, lost_poll_share=0.5)
    ),
}
