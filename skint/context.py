"""What a job is given: where to read, where to write, how to speak, when to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from skint.attempt import EXIT_STOPPED, AttemptDir, StopRequest, Task
from skint.errors import SkintError
from skint.events import EventWriter
from skint.ranks import own_rank
from skint.visibility import show

PROGRESS_S = 0.25
"""At most one progress line in this time; the first and the last are always written."""


GO_S = 0.02
"""How often an attempt that was started ahead looks for its devices."""


class InputNotFound(SkintError):
    """A job asked for a file or an entry that none of its `needs` has."""


class StopRequested(SystemExit):
    """The job was asked to stop and has come to a place where it can.

    A SystemExit, so that `except Exception` around one picture does not swallow it, and so that a
    program that lets it through ends with the code that says "stopped as asked".
    """

    def __init__(self, request: StopRequest) -> None:
        super().__init__(EXIT_STOPPED)
        self.request = request

    def __str__(self) -> str:
        return self.request.sentence or self.request.reason


class ParkFlag:
    """A handler for SIGTERM that remembers it: the job ends at its next `check()`."""

    def __init__(self) -> None:
        self.raised = False
        self._owner = os.getpid()

    def install(self) -> None:
        """Handle SIGTERM in this process, and in no process forked from it.

        A child that went on after TERM (a process pool's worker) would let `pool.terminate()` wait
        for ever.
        """
        signal.signal(signal.SIGTERM, self)
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        if signal.getsignal(signal.SIGTERM) is self:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            # Forked while another handler stood before this one and called it (Lightning's).
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.raised = True


class Context:
    """One attempt, as its job sees it."""

    def __init__(self, attempt: AttemptDir, task: Task, park: ParkFlag | None = None) -> None:
        self.attempt = attempt
        self.task = task
        self._park = park
        self._events = replace(EventWriter.of(attempt, task), silent=own_rank() > 0)
        self._progress_at: float | None = None
        attempt.out.mkdir(parents=True, exist_ok=True)

    @classmethod
    def for_test(
        cls,
        folder: Path,
        *,
        inputs: Mapping[str, Path | Sequence[Path]] | None = None,
        fold: int | None = None,
        folds: int | None = None,
        cpus: int = 1,
        devices: tuple[str, ...] = (),
        smoke: bool = False,
        previous: Path | None = None,
        base: Path | None = None,
    ) -> Context:
        """A context over a real attempt directory in `folder`; `base` is `folder` by default."""
        task = Task(
            attempt="test.job.1",
            fence=1,
            run="test",
            job="job",
            cwd=str(base or folder),
            inputs={
                name: (str(paths),) if isinstance(paths, Path) else tuple(map(str, paths))
                for name, paths in (inputs or {}).items()
            },
            fold=fold,
            folds=folds,
            devices=devices,
            cpus=cpus,
            smoke=smoke,
            previous=None if previous is None else str(previous),
        )
        attempt = AttemptDir(folder)
        attempt.create(task)
        return cls(attempt, task)

    @property
    def out(self) -> Path:
        """What the job publishes; the same bytes each time. Machine-local facts: `out/local/`."""
        return self.attempt.out

    @property
    def inputs(self) -> Mapping[str, Path]:
        """The `out` of every ancestor that is a single job, by plan entry, nearest first."""
        return {name: Path(p[0]) for name, p in self.task.inputs.items() if len(p) == 1}

    def group(self, entry: str) -> tuple[Path, ...]:
        """The `out` of each job of an entry, e.g. of its folds in order.

        Raises InputNotFound when the entry is no ancestor.
        """
        try:
            return tuple(map(Path, self.task.inputs[entry]))
        except KeyError:
            raise InputNotFound(
                f"{entry} is not among what this job needs",
                where=self.task.job,
                wanted=", ".join(self.task.inputs) or "an entry under `needs`",
            ) from None

    def find(self, filename: str) -> Path:
        """That file in the nearest ancestor's `out` that has it; else raises InputNotFound."""
        return self.find_all(filename)[0]

    def find_all(self, filename: str) -> tuple[Path, ...]:
        """That file in every job of the nearest entry that has it; else raises InputNotFound."""
        for paths in self.task.inputs.values():
            found = tuple(file for path in paths if (file := Path(path, filename)).exists())
            if found:
                return found
        raise InputNotFound(
            f"nothing that this job needs has made {filename}",
            where=self.task.job,
            got="needs: " + (", ".join(self.task.inputs) or "nothing"),
            next=f"add the job that writes {filename} to its `needs`",
        )

    @property
    def base(self) -> Path:
        """The plan's folder."""
        return Path(self.task.cwd) if self.task.cwd else Path.cwd()

    def resolve(self, path: str | os.PathLike[str]) -> Path:
        """A path of the parameters: relative ones count from the plan's folder."""
        return self.base / Path(path).expanduser()

    @property
    def fold(self) -> int | None:
        """Which fold this job is, from 0, or None."""
        return self.task.fold

    @property
    def folds(self) -> int | None:
        return self.task.folds

    @property
    def cpus(self) -> int:
        """Cores it may use, at least 1."""
        return self.task.cpus or usable_cores()

    @property
    def devices(self) -> tuple[str, ...]:
        """UUIDs of its accelerators, or `simulated-0`; empty in the CPU lane, and before
        `wait_for_devices()` where it was started ahead."""
        return self.task.devices

    @property
    def device_count(self) -> int:
        """How many accelerators it has or will be given; 0 in the CPU lane and the rehearsal."""
        return len(self.task.devices) or self.task.device_count

    def wait_for_devices(self) -> tuple[str, ...]:
        """The devices it may use from now on; waits for them where it was started ahead.

        A job made with `standby=True` does before this what needs no device: it imports, opens its
        data and builds its network on the CPU. No CUDA call may come before, as the driver reads
        its environment once. Raises StopRequested.
        """
        if self.task.standby_s is None:
            return self.devices
        if self.attempt.read_go() is None:
            self._events.write("ready")
        while (go := self.attempt.read_go()) is None or go.void:
            self.check()
            time.sleep(GO_S)
        show(go.devices)
        self.task = self.task.given(go.devices, go.limit_s, go.grace_s)
        return self.devices

    @property
    def smoke(self) -> bool:
        """True in the rehearsal: one batch, no accelerator, ten seconds."""
        return self.task.smoke

    @property
    def previous(self) -> Path | None:
        """`out` of the job's previous attempt, to resume from."""
        return Path(self.task.previous) if self.task.previous else None

    def progress(self, done: int, total: int) -> None:
        """Say how far it is; cheap enough for every picture."""
        now = time.monotonic()
        last = self._progress_at
        if last is None or done >= total or now - last >= PROGRESS_S:
            self._progress_at = now
            self._events.write("progress", done=int(done), total=int(total))

    def report(self, **values: Any) -> None:
        """Report numbers; see `skint.report`."""
        self._events.report(values)

    def note(self, sentence: str) -> None:
        """Tell the person one line, e.g. "1 file quarantined"."""
        self._events.write("note", text=" ".join(sentence.split()))

    def stage(self, name: str) -> None:
        """Say that a part of the work begins: what the attempt is charged is told by stage."""
        self._events.write("stage", name=" ".join(name.split()))

    def checkpoint(self, path: Path, *, epoch: int, step: int) -> None:
        """Say that a checkpoint is whole on disk; `path` is under `out`."""
        relative = path.relative_to(self.out) if path.is_absolute() else path
        self._events.write("checkpoint", path=str(relative), epoch=int(epoch), step=int(step))

    def stop_requested(self) -> StopRequest | None:
        """The request to stop, if there is one: the stop file's, else TERM's (a park)."""
        request = self.attempt.read_stop()
        if self._park is None or not self._park.raised:
            return request
        # After TERM there is no time left to wait for the end of an epoch.
        return PARK_ON_TERM if request is None else replace(request, how="step")

    def check(self, *, mid_epoch: bool = False) -> None:
        """Raise StopRequested when asked to stop. Call it as often as once a picture or batch.

        A loop that has epochs passes `mid_epoch=True` within one: a request to stop at the end
        of the epoch then waits for the call that does not.
        """
        request = self.stop_requested()
        if request is not None and not (mid_epoch and request.how == "epoch"):
            raise StopRequested(request)


PARK_ON_TERM = StopRequest("step", "requeue", "terminated", "the process was told to end (TERM)")


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
