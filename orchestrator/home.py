"""`SKINT_HOME`: where the store, the ledger and the results of one person on one machine live.

store.db         events and what is derived from them
ledger.db        accounts and charges; it outlives every plan
runs/RUN/JOB/N/  attempt directories
scheduler.lock   held by the one scheduler; its pid stands in it
scheduler.log    what a background scheduler says
bell             rings the scheduler awake (`skint.bell`); may be removed at any time
keys/            what jobs' keys were made of (`orchestrator.plans.ingredients`)
parsed.json      what files of code say (`orchestrator.plans.parsed`); may be removed at any time
checked/         what plans came to (`orchestrator.plans.checked`); may be removed at any time
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from skint import bell
from skint.errors import UNREACHABLE, SkintError

VARIABLE = "SKINT_HOME"
START_TIMEOUT_S = 60.0
BACKGROUND = ("scheduler", "start", "--here", "--when-told")
"""Words after `skint` of a background scheduler."""
LOCK_PATIENCE_S = 1.0
"""An onlooker shares the lock for an instant; a scheduler that starts tries again for this time."""
PID_PATIENCE_S = 1.0
"""The lock is taken before the pid is written; an onlooker in between looks again for this time."""


class SchedulerError(SkintError):
    """The scheduler runs already, or does not start."""

    exit_code = UNREACHABLE


class SchedulerRuns(SchedulerError):
    """Another process is the scheduler."""


@dataclass(frozen=True)
class Home:
    path: Path

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> Home:
        """`SKINT_HOME`, or `.skint` in the home directory."""
        named = environ.get(VARIABLE)
        return cls(Path(named).absolute() if named else Path.home() / ".skint")

    @property
    def store(self) -> Path:
        return self.path / "store.db"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.db"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def lock(self) -> Path:
        return self.path / "scheduler.lock"

    @property
    def parsed(self) -> Path:
        return self.path / "parsed.json"

    @property
    def checked(self) -> Path:
        return self.path / "checked"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def bell(self) -> Path:
        return self.path / bell.NAME

    @property
    def log(self) -> Path:
        return self.path / "scheduler.log"

    @contextmanager
    def locked(self) -> Iterator[Callable[[], bool]]:
        """Be the scheduler. What this gives says whether it still is: no longer where somebody has
        removed the folder. Raises SchedulerRuns while another process is."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.lock, "a+") as file:
            deadline = time.monotonic() + LOCK_PATIENCE_S
            while not _try_lock(file.fileno(), fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise SchedulerRuns(
                        f"a scheduler is running already (pid {self.scheduler_pid()})",
                        where=str(self.path),
                        next="skint status",
                    )
                time.sleep(0.05)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield lambda: self._is_locked_by(file.fileno())
            finally:
                file.truncate(0)

    def _is_locked_by(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.lock.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # a network disk that does not answer now has lost nothing
            return True

    def scheduler_pid(self) -> int | None:
        """The process that is the scheduler now; None if there is none."""
        deadline = time.monotonic() + PID_PATIENCE_S
        while True:
            try:
                with open(self.lock) as file:
                    # Shared: onlookers must not take each other for the scheduler.
                    if _try_lock(file.fileno(), fcntl.LOCK_SH):
                        return None
                    pid = int(file.read() or 0)
            except FileNotFoundError:
                return None
            if (pid and _is_there(pid)) or time.monotonic() > deadline:
                return pid or None
            time.sleep(0.01)  # it has not written its pid yet, over that of one that was killed

    def start_scheduler(self) -> int:
        """Start a background scheduler if none runs; its pid. Raises SchedulerError."""
        with self.scheduler_ahead() as start:
            return start()

    @contextmanager
    def scheduler_ahead(self) -> Iterator[Callable[[], int]]:
        """Have a background scheduler read its code meanwhile, if none runs.

        What this gives starts it, and returns the pid of the one that runs; it raises
        SchedulerError. Where it is not called the process leaves, and nothing was started.
        """
        child = None if self.scheduler_pid() is not None else self._begin()
        try:
            yield lambda: self._told(child)
        finally:
            if child is not None:
                assert child.stdin is not None
                child.stdin.close()

    def _begin(self) -> subprocess.Popen[bytes]:
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "orchestrator.cli", *BACKGROUND],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, VARIABLE: str(self.path)},
                start_new_session=True,
            )

    def _told(self, child: subprocess.Popen[bytes] | None) -> int:
        """Tell it to start, and wait until a scheduler runs, this one or another."""
        pid = self.scheduler_pid()
        if pid is not None:
            return pid
        child = child or self._begin()  # the one that ran has left meanwhile
        assert child.stdin is not None
        with suppress(BrokenPipeError):  # it is dead: it is seen below
            child.stdin.write(b"\n")
            child.stdin.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            pid = self.scheduler_pid()
            if pid is not None:
                return pid
            if child.poll() is not None:
                pid = self.scheduler_pid()  # another one may have been faster
                if pid is not None:
                    return pid
                break
            time.sleep(0.01)
        raise SchedulerError(
            "the background scheduler does not start",
            got=self._last_words(),
            next=f"read {self.log}, or run in the foreground: skint run PLAN",
        )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else ""


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
