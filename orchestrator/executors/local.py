"""This machine: one shim process an attempt, found again by its directory after a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
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
    Handle,
    Observation,
    Submission,
)
from skint import process
from skint import shim as shim_module
from skint.attempt import EXIT_STOPPED, AttemptDir, Exit, StopHow, StopRequest, write_json

CLAIM_TIMEOUT_S = 30.0
"""A shim that claimed its attempt and says nothing about itself for so long has died in between."""
KILL_ROUNDS = 5
STRICTNESS: tuple[StopHow, ...] = ("epoch", "step", "kill")
"""A request is replaced by a stricter one only."""


class LocalExecutor:
    """Attempts are processes of this host. `devices` overrides what is found (for tests)."""

    name = "local"
    capabilities = Capabilities()

    def __init__(
        self, runs_dir: Path, *, devices: tuple[Device, ...] | None = None, cpus: int | None = None
    ) -> None:
        self.runs_dir = runs_dir
        self._devices = find_devices()[1] if devices is None else devices
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self._shims: dict[str, subprocess.Popen[bytes]] = {}
        self._leaving: list[subprocess.Popen[bytes]] = []
        """Shims that have written their last record and are to be reaped."""

    def stage(self, digests: Sequence[str]) -> None:
        """Nothing to move: attempts read the same disk."""

    def submit(self, submission: Submission) -> None:
        (task,), (folder,) = submission.tasks, submission.folders
        directory = AttemptDir(folder)
        if directory.claim.exists() or submission.name in self._shims:
            return
        try:
            directory.create(task)
            with open(directory.log, "ab") as log:
                shim = subprocess.Popen(
                    [sys.executable, "-P", "-S", shim_module.__file__, str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={**_own_environment(), **submission.env},
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorRefused(f"the worker could not be started: {error}") from error
        self._shims[submission.name] = shim

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        self._leaving = [shim for shim in self._leaving if shim.poll() is None]
        return {handle.name: self._see(handle) for handle in handles}

    def _see(self, handle: Handle) -> Observation:
        (attempt,), (folder,) = handle.attempts, handle.folders
        shim = self._shims.get(handle.name)
        # A shim leaves with 0 when it has run the attempt, and when another one has claimed it:
        # that says nothing about the other one.
        died = shim is not None and shim.poll() not in (None, 0)
        try:
            sight = self._sight(AttemptDir(folder), handle, died)
        except (OSError, ValueError, TypeError) as error:  # one bad record must not hide the rest
            return Observation("unknown", f"{folder} cannot be read: {error}")
        if shim is not None and (sight.condition in ("ended", "lost") or shim.returncode == 0):
            self._leaving.append(self._shims.pop(handle.name))
        ended_ms = sight.exit.ended_ms if sight.exit else sight.lost_ms
        return Observation(
            sight.condition,
            "its shim is dead, its processes do not end" if sight.condition == "unknown" else "",
            started_ms=sight.started_ms,
            ended_ms=ended_ms,
            attempts={attempt: sight},
        )

    def _sight(self, directory: AttemptDir, handle: Handle, died: bool) -> AttemptSight:
        exit = directory.read_exit()
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        if not directory.handle.exists():
            if directory.claim.exists() or died:
                return self._stillborn(directory, handle, died)
            return AttemptSight("pending" if handle.name in self._shims else "absent")
        identity = process.Identity(**json.loads(directory.handle.read_text()))
        started_ms = int(directory.handle.stat().st_mtime_ns // 1_000_000)
        if process.is_alive(identity):
            return AttemptSight("running", started_ms)
        exit = directory.read_exit()  # it may have ended between the two looks
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        same_boot = identity.boot_id == process.boot_id()
        return self._lost(directory, handle, started_ms, same_boot=same_boot)

    def _stillborn(self, directory: AttemptDir, handle: Handle, died: bool) -> AttemptSight:
        """Claimed but no identity yet: a moment of its start, or a shim that died in it."""
        claimed_s = directory.claim.stat().st_mtime if directory.claim.exists() else 0.0
        if not died and time.time() - claimed_s < CLAIM_TIMEOUT_S:
            return AttemptSight("pending")
        return self._lost(directory, handle, None, same_boot=True)

    def _lost(
        self, directory: AttemptDir, handle: Handle, started_ms: int | None, same_boot: bool
    ) -> AttemptSight:
        """The shim is gone without an exit record; what it left running is killed."""
        if not _none_left(handle.attempts[0], directory.path):
            return AttemptSight("unknown", started_ms)  # it keeps its device: look again
        # Seen dead now on the same boot: it did not run later. After a reboot nobody knows.
        lost_ms = time.time_ns() // 1_000_000 if same_boot else None
        return AttemptSight("lost", started_ms, lost_ms=lost_ms)

    def read(self, attempt: str, folder: Path, cursor: int) -> tuple[Sequence[bytes], int]:
        try:
            with open(AttemptDir(folder).events, "rb") as file:
                file.seek(cursor)
                text = file.read()
        except FileNotFoundError:
            return (), cursor
        whole = text[: text.rfind(b"\n") + 1]
        return whole.splitlines(), cursor + len(whole)

    def signal(self, handle: Handle, request: StopRequest) -> None:
        for folder in handle.folders:
            directory = AttemptDir(folder)
            folder.mkdir(parents=True, exist_ok=True)
            if not _is_asked(directory, request):
                directory.request_stop(request)
            self._keep_from_starting(directory)

    def _keep_from_starting(self, directory: AttemptDir) -> None:
        """Take the claim of an attempt that nobody runs yet: a late shim then leaves."""
        try:
            os.close(os.open(directory.claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return
        now_ms = time.time_ns() // 1_000_000
        never = Exit(EXIT_STOPPED, "stopped", started_ms=now_ms, ended_ms=now_ms)
        write_json(directory.exit, asdict(never))

    def cancel(self, handle: Handle) -> None:
        for folder in handle.folders:
            self.signal(
                Handle(handle.name, handle.attempts, (folder,)),
                StopRequest("kill", "end", "cancelled"),
            )

    def collect(self, attempt: str, folder: Path) -> None:
        """Nothing to bring: it is here already."""

    def discover(self) -> Sequence[Handle]:
        """Attempts whose shim is alive, whoever started it."""
        found = []
        for path in self.runs_dir.glob("*/*/*/handle.json"):
            directory = AttemptDir(path.parent)
            if directory.exit.exists():
                continue
            if process.is_alive(process.Identity(**json.loads(path.read_text()))):
                attempt = directory.read_task().attempt
                found.append(Handle(attempt, (attempt,), (path.parent,)))
        return found

    def capacity(self) -> Capacity:
        mem_mb = psutil.virtual_memory().total >> 20
        return Capacity(self._cpus, mem_mb, self._devices)


def _is_asked(directory: AttemptDir, request: StopRequest) -> bool:
    """Whether it has been asked to stop so strictly, or more strictly, before."""
    try:
        known = directory.read_stop()
        return known is not None and STRICTNESS.index(known.how) >= STRICTNESS.index(request.how)
    except (ValueError, TypeError):  # no stop request of ours: write one
        return False


def _none_left(attempt: str, directory: Path) -> bool:
    """Kill what an attempt without a shim left running; whether all of it is gone."""
    for _ in range(KILL_ROUNDS):  # what is being killed may still fork
        found = process.survivors(attempt, directory)
        if not found:
            return True
        if process.kill_all(found):
            return False
    return False


def _own_environment() -> dict[str, str]:
    """Ours without the device mask: the shim makes one for each attempt, and keeps one it finds."""
    return {name: value for name, value in os.environ.items() if name != MASK}
