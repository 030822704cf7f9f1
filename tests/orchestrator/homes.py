"""A home with a real store, a real ledger and schedulers that are processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.ledger import Ledger
from orchestrator.clock import SystemClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.graph import Graph, Job
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from skint.attempt import AttemptDir
from skint.process import kill_all, survivors
from tests.terminal import until

HOUR_MS = 3_600_000

PRELUDE = Path(__file__).with_name("prelude.sh")


@dataclass
class LivingHome:
    home: Home
    base: Path
    schedulers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.store = Store(self.home.store)
        self.ledger = Ledger(self.home.ledger)
        account = Account("lab", "simulated", "local", (weekly(HOUR_MS),))
        self.ledger.add_account(account, self.clock.now_ms())

    def job(self, id: str, script: str, *needs: str, **more: Any) -> Job:
        """A job that runs `script` in a shell; its static key is its name and its script."""
        argv = ("sh", "-c", f". {PRELUDE}\n{script}", str(self.base / "runs.txt"))
        key = more.pop("static_key", f"{id}: {script}")
        more = {"group": id, "grace_s": 5.0, **more}
        return Job(id, argv=argv, needs=needs, static_key=key, **more)

    def submit(self, *jobs: Job, run: str = "small-1") -> None:
        graph = Graph("small", "lab", str(self.base), jobs)
        self.store.ask(SubmitRun(run=run, graph=graph.to_json()), self.clock.now_ms())

    def stop(self, run: str = "small-1") -> None:
        self.store.ask(StopJobs(run=run, scope="run", target=run), self.clock.now_ms())

    def begin(self) -> subprocess.Popen[bytes]:
        """Start a scheduler process, and wait until it has the lock."""
        with open(self.home.log, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "orchestrator.cli", "scheduler", "start", "--here"],
                env={**os.environ, "SKINT_HOME": str(self.home.path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.schedulers.append(process)
        until(lambda: self.home.scheduler_pid() == process.pid or process.poll() is not None)
        assert process.poll() is None
        return process

    def until(self, condition: Callable[[State], bool]) -> State:
        until(lambda: condition(self.store.state()))
        return self.store.state()

    def until_settled(self, run: str = "small-1") -> RunState:
        state = self.until(lambda state: run in state.runs and state.runs[run].settled)
        return state.runs[run]

    def started(self) -> list[str]:
        """The attempts that were started, each as often as it was."""
        runs = self.base / "runs.txt"
        return runs.read_text().split() if runs.exists() else []

    def processes(self) -> list[int]:
        """What is alive of the attempts of all runs."""
        state = self.store.state()
        attempts = [a for run in state.runs.values() for a in run.attempts.values()]
        return [pid for a in attempts for pid in survivors(a.id, Path(a.folder))]

    def ends(self) -> dict[str, int]:
        """Milliseconds by attempt, from the exit records."""
        found = {}
        for path in self.home.runs.glob("*/*/*/exit.json"):
            directory = AttemptDir(path.parent)
            end = directory.read_exit()
            assert end is not None
            found[directory.read_task().attempt] = end.ended_ms - end.started_ms
        return found

    def close(self) -> None:
        for scheduler in self.schedulers:
            if scheduler.poll() is None:
                scheduler.send_signal(signal.SIGKILL)
            scheduler.wait()
        kill_all(self.processes())
        self.store.close()
        self.ledger.close()
