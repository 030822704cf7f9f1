"""This machine: one shim process an attempt, found again by its directory after a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import psutil

from orchestrator.devices import find_devices
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
from skint.attempt import EXIT_STOPPED, AttemptDir, Exit, StopRequest, write_json

CLAIM_TIMEOUT_S = 30.0
"""A shim that has not claimed its attempt by then never will: its process is looked at."""


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

    def stage(self, digests: Sequence[str]) -> None:
        """Nothing to move: attempts read the same disk."""

    def submit(self, submission: Submission) -> None:
        (task,), (folder,) = submission.tasks, submission.folders
        directory = AttemptDir(folder)
        if directory.claim.exists():
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
                    env={**os.environ, **submission.env},
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorRefused(f"the worker could not be started: {error}") from error
        self._shims[submission.name] = shim

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        return {handle.name: self._see(handle) for handle in handles}

    def _see(self, handle: Handle) -> Observation:
        (attempt,), (folder,) = handle.attempts, handle.folders
        shim = self._shims.get(handle.name)
        gone = shim is not None and shim.poll() is not None  # reaps it, too
        directory = AttemptDir(folder)
        sight = self._sight(directory, handle.name, gone)
        if sight.condition == "ended" or gone:
            self._shims.pop(handle.name, None)
        ended_ms = sight.exit.ended_ms if sight.exit else sight.lost_ms
        return Observation(
            sight.condition,
            started_ms=sight.started_ms,
            ended_ms=ended_ms,
            attempts={attempt: sight},
        )

    def _sight(self, directory: AttemptDir, name: str, shim_gone: bool) -> AttemptSight:
        exit = directory.read_exit()
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        if not directory.handle.exists():
            if directory.claim.exists() or shim_gone:
                return self._stillborn(directory, shim_gone)
            return AttemptSight("pending" if name in self._shims else "absent")
        identity = process.Identity(**json.loads(directory.handle.read_text()))
        started_ms = int(directory.handle.stat().st_mtime_ns // 1_000_000)
        if process.is_alive(identity):
            return AttemptSight("running", started_ms)
        exit = directory.read_exit()  # it may have ended between the two looks
        if exit is not None:
            return AttemptSight("ended", exit.started_ms, exit)
        return self._lost(directory, started_ms, same_boot=identity.boot_id == process.boot_id())

    def _stillborn(self, directory: AttemptDir, shim_gone: bool) -> AttemptSight:
        """Claimed but no identity yet: a moment of its start, or a shim that died in it."""
        claimed_s = directory.claim.stat().st_mtime if directory.claim.exists() else 0.0
        if not shim_gone and time.time() - claimed_s < CLAIM_TIMEOUT_S:
            return AttemptSight("pending")
        return self._lost(directory, None, same_boot=True)

    def _lost(self, directory: AttemptDir, started_ms: int | None, same_boot: bool) -> AttemptSight:
        """The shim is gone without an exit record; what it left running is killed."""
        name = directory.read_task().attempt
        process.kill_all(process.survivors(name))
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
            known = directory.read_stop()
            if known is None or known.how != request.how:
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
            request = AttemptDir(folder).read_stop() or StopRequest("kill", "end", "cancelled")
            self.signal(
                Handle(handle.name, handle.attempts, (folder,)), replace(request, how="kill")
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
