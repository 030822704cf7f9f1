"""This machine: one shim process an attempt, found again by its directory after a restart."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil

from orchestrator.devices import MASK, find_devices
from orchestrator.executors.base import (
    AttemptSight,
    Capabilities,
    Capacity,
    Device,
    ExecutorRefused,
    ExecutorUnreachable,
    Handle,
    Observation,
    StandbyGone,
    Submission,
)
from orchestrator.executors.local_processes import living, living_shims, none_left
from orchestrator.executors.local_records import (
    could_not_write,
    exit_of,
    folders,
    identity_of,
    last_line_ms,
)
from orchestrator.executors.local_shims import Shim, Shims
from orchestrator.executors.local_standby import (
    give_devices,
    give_up,
    has_devices,
    is_gone,
    is_same,
    sight_of_waiting,
)
from orchestrator.executors.together import observation
from skint import process
from skint.attempt import EXIT_STOPPED, AttemptDir, Exit, StopHow, StopRequest, Task, write_json

_log = logging.getLogger(__name__)

CLAIM_TIMEOUT_S = 30.0
"""A shim that claimed its attempt and says nothing about itself for so long has died in between."""
STRICTNESS: tuple[StopHow, ...] = ("epoch", "step", "kill")
"""A request is replaced by a stricter one only."""
BROKEN = (OSError, ValueError, TypeError, KeyError)
"""What reading a record raises that is gone, or that no shim of ours has written."""

TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")
"""What the scheduler needs to talk to people, and no job does."""


class LocalExecutor:
    """Attempts are processes of this host. `devices` overrides what is found (for tests). The
    `bell` is rung when an attempt has ended. Where nothing `forks`, each has a Python to start."""

    name = "local"
    capabilities = Capabilities(together=True, standby=True)

    def __init__(
        self,
        runs_dir: Path,
        *,
        devices: tuple[Device, ...] | None = None,
        cpus: int | None = None,
        bell: Path | None = None,
        forks: bool = process.LINUX,
    ) -> None:
        self.runs_dir = runs_dir
        self._devices = find_devices()[1] if devices is None else devices
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self._mem_mb = psutil.virtual_memory().total >> 20
        self._starter = Shims(bell, forks=forks)
        self._shims: dict[str, Shim] = {}
        """By attempt."""
        self._leaving: list[Shim] = []
        """Shims that have written their last record and are to be reaped."""

    def prepare(self) -> None:
        """Make ready what the first attempt would have to wait for."""
        try:
            self._starter.prepare(_own_environment())
        except OSError as error:  # the first attempt will say it, if it is so still
            _log.warning("nothing can be started now: %s", error)

    def close(self) -> None:
        """Attempts go on."""
        self._starter.close()

    def stage(self, digests: Sequence[str]) -> None:
        """Nothing to move: attempts read the same disk."""

    def submit(self, submission: Submission) -> None:
        parts = list(zip(submission.tasks, map(AttemptDir, submission.folders), strict=True))
        _all_or_none(submission.name, parts)
        fresh, gone = [], list[StandbyGone]()
        for part in parts:
            try:
                if not self._is_there(submission.name, *part):
                    fresh.append(part)
            except StandbyGone as error:
                gone.append(error)
        if gone and len(gone) + len(fresh) == len(parts):
            raise gone[0]  # else it ended in this moment, and is seen as `unused` beside the others
        own = _own_environment()
        for number, (task, directory) in enumerate(fresh):
            try:
                directory.create(task)
                environ = {**own, **submission.env}
                self._shims[task.attempt] = self._starter.start(directory, environ)
            except OSError as error:
                if number:  # some have started, so it is no refusal: this one is tried again
                    raise ExecutorUnreachable(f"{task.attempt} did not start: {error}") from error
                raise ExecutorRefused(f"the worker could not be started: {error}") from error

    def _is_there(self, name: str, task: Task, directory: AttemptDir) -> bool:
        """Whether it has been started before; one that was started ahead is given its devices."""
        if not directory.claim.exists():
            return task.attempt in self._shims
        if not give_devices(directory, name, task):
            _refuse_another(directory, task)
        return True

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        self._leaving = [shim for shim in self._leaving if shim.poll() is None]
        return {handle.name: self._see(handle) for handle in handles}

    def _see(self, handle: Handle) -> Observation:
        sights: dict[str, AttemptSight] = {}
        reasons = []
        for attempt, folder in zip(handle.attempts, handle.folders, strict=True):
            directory = AttemptDir(folder)
            shim = self._shims.get(attempt)
            try:
                waiting = None
                if handle.name != attempt:
                    waiting = sight_of_waiting(directory, handle.name)
                sight = waiting or self._sight(directory, attempt, shim)
                reasons.append(_why(directory, sight))
            except BROKEN as error:  # one bad record must not hide the rest
                return Observation("unknown", f"{folder} cannot be read: {error}")
            over = sight.condition in ("ended", "lost") and waiting is None
            if shim is not None and (over or shim.returncode == 0):
                self._leaving.append(self._shims.pop(attempt))
            sights[attempt] = sight
        return observation(sights, "; ".join(filter(None, reasons)))

    def _sight(self, directory: AttemptDir, attempt: str, shim: Shim | None) -> AttemptSight:
        # A shim leaves with 0 when it has run the attempt, and when another one has claimed it:
        # that says nothing about the other one.
        died = shim is not None and shim.poll() not in (None, 0)
        exit = exit_of(directory)
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        if not directory.handle.exists():
            return self._nameless(directory, attempt, shim, died)
        go = directory.read_go()
        started_ms = int(directory.handle.stat().st_mtime_ns // 1_000_000)
        if go is not None and not go.void:
            started_ms = go.at_ms
        identity = identity_of(directory)
        alive = process.is_alive(identity) if identity else bool(living_shims(directory.path))
        if alive:
            return AttemptSight("running", started_ms)
        same_boot = identity is not None and identity.boot_id == process.boot_id()
        return self._lost(directory, attempt, started_ms, same_boot=same_boot)

    def _nameless(
        self,
        directory: AttemptDir,
        attempt: str,
        shim: Shim | None,
        died: bool,
    ) -> AttemptSight:
        """No shim has said who it is: not started, a moment of its start, or the folder is gone."""
        ours = shim is not None and shim.poll() is None
        starting = ours or bool(living_shims(directory.path))
        if starting and directory.task.exists():
            return AttemptSight("pending")  # however long ago it claimed: it may still begin
        claimed = directory.claim.exists()
        if starting or (not claimed and process.survivors(attempt, directory.path)):
            # The task is written before its shim is started, the claim before its worker is.
            return self._lost(directory, attempt, None, same_boot=True)
        if died or claimed:
            claimed_s = directory.claim.stat().st_mtime if claimed else 0.0
            if not died and time.time() - claimed_s < CLAIM_TIMEOUT_S:
                return AttemptSight("pending")
            return self._lost(directory, attempt, None, same_boot=True)
        return AttemptSight("pending" if attempt in self._shims else "absent")

    def _lost(
        self, directory: AttemptDir, attempt: str, started_ms: int | None, same_boot: bool
    ) -> AttemptSight:
        """The shim is gone without an exit record; what it left running is killed."""
        exit = exit_of(directory)  # it may have ended between the two looks
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        if not none_left(attempt, directory.path):
            return AttemptSight("unknown", started_ms)  # it keeps its device: look again
        # Seen dead now on the same boot: it did not run later. After a reboot nobody knows, nor
        # by a clock that was set back.
        now_ms = time.time_ns() // 1_000_000
        newest_ms = max(started_ms or 0, last_line_ms(directory))
        lost_ms = now_ms if same_boot and now_ms >= newest_ms else None
        return AttemptSight("lost", started_ms, lost_ms=lost_ms)

    def read(self, attempt: str, folder: Path, cursor: int) -> tuple[Sequence[bytes], int]:
        try:
            with open(AttemptDir(folder).events, "rb") as file:
                file.seek(cursor)
                text = file.read()
        except FileNotFoundError:
            return (), cursor
        except OSError as error:
            raise ExecutorUnreachable(f"the lines of {attempt} cannot be read: {error}") from error
        whole = text[: text.rfind(b"\n") + 1]
        return whole.splitlines(), cursor + len(whole)

    def signal(self, handle: Handle, request: StopRequest) -> None:
        for attempt, folder in zip(handle.attempts, handle.folders, strict=True):
            directory = AttemptDir(folder)
            with _reaching(attempt):
                folder.mkdir(parents=True, exist_ok=True)
                if not _is_asked(directory, request):
                    directory.request_stop(request)
                give_up(directory)
                self._keep_from_starting(directory, attempt)

    def _keep_from_starting(self, directory: AttemptDir, attempt: str) -> None:
        """Take the claim of an attempt that nobody runs yet: a late shim then leaves.

        No claim is no proof of that: the folder may have been removed while the attempt runs.
        Its shim finds the request in the new one.
        """
        shim = self._shims.get(attempt)
        if directory.claim.exists() or (shim is not None and shim.poll() is None):
            return
        if living(attempt, directory.path):
            return
        try:
            os.close(os.open(directory.claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return
        now_ms = time.time_ns() // 1_000_000
        never = Exit(EXIT_STOPPED, "stopped", started_ms=now_ms, ended_ms=now_ms)
        write_json(directory.exit, asdict(never))

    def cancel(self, handle: Handle) -> None:
        self.signal(handle, StopRequest("kill", "end", "cancelled"))

    def collect(self, attempt: str, folder: Path) -> None:
        """Nothing to bring: it is here already."""

    def discover(self) -> Sequence[Handle]:
        """Attempts whose shim is alive, whoever started it."""
        found = []
        for folder in folders(self.runs_dir, depth=3):
            directory = AttemptDir(folder)
            try:
                if directory.exit.exists() or not directory.handle.exists():
                    continue
                identity = identity_of(directory)
                if process.is_alive(identity) if identity else living_shims(folder):
                    attempt = directory.read_task().attempt
                    found.append(Handle(attempt, (attempt,), (folder,)))
            except BROKEN as error:
                _log.warning("%s is passed over, it cannot be read: %s", folder, error)
        return found

    def capacity(self) -> Capacity:
        return Capacity(self._cpus, self._mem_mb, self._devices)


def _is_asked(directory: AttemptDir, request: StopRequest) -> bool:
    """Whether it has been asked to stop so strictly, or more strictly, before."""
    try:
        known = directory.read_stop()
        return known is not None and STRICTNESS.index(known.how) >= STRICTNESS.index(request.how)
    except (ValueError, TypeError):  # no stop request of ours: write one
        return False


def _why(directory: AttemptDir, sight: AttemptSight) -> str:
    """What there is to say of an unusual condition."""
    if sight.condition == "unknown":
        return "its shim is dead, its processes do not end"
    if sight.condition == "lost" and directory.exit.exists():
        return f"its processes are gone and {directory.exit} is no exit record"
    if sight.condition == "lost" and not directory.task.exists():
        return f"its folder {directory.path} was removed; what still ran of it was ended"
    if sight.condition == "lost" and could_not_write(directory):
        return "its end could not be written down: the disk is full, or was; make room first"
    return ""


def _all_or_none(name: str, parts: Sequence[tuple[Task, AttemptDir]]) -> None:
    """Raise StandbyGone where one of those that were started ahead has ended, before any of them
    has its devices: those of that one would be kept for nothing until the last of them ends."""
    if any(has_devices(directory, name) for _, directory in parts):
        return
    for task, directory in parts:
        if is_gone(directory, task):
            with _reaching(task.attempt):
                for _, other in parts:
                    give_up(other)
            raise StandbyGone(f"what was started ahead for {task.attempt} is no more")


def _refuse_another(directory: AttemptDir, task: Task) -> None:
    """Raise ExecutorRefused if a claimed folder has another task; it may have none yet."""
    try:
        known = directory.read_task()
    except FileNotFoundError:  # it was stopped before it came
        return
    except BROKEN as error:
        raise ExecutorRefused(f"{directory.task} cannot be read: {error}") from error
    if not is_same(known, task):
        raise ExecutorRefused(
            f"{directory.path} has another attempt of the name {task.attempt}",
            next="submit the run under another name, or remove that folder if it is of no use",
        )


@contextmanager
def _reaching(attempt: str) -> Iterator[None]:
    """Whatever the disk refuses is an answer that did not come."""
    try:
        yield
    except OSError as error:
        raise ExecutorUnreachable(f"{attempt} cannot be told to stop: {error}") from error


def _own_environment() -> dict[str, str]:
    """Ours without what is not a job's: tokens that it did not name under `env:`, and the device
    mask (the shim makes one for each attempt, and keeps one it finds)."""
    return {name: value for name, value in os.environ.items() if name not in (MASK, *TOKENS)}
