"""What starts, watches and ends attempts: the interface every executor keeps.

Batched, idempotent, addressed by name and re-attachable: a scheduler that lost its memory calls
the same verbs with the same names and nothing runs twice. Engine retries are off; only our
scheduler retries. An executor owns transport: the caller never assumes a shared disk.

    stage → submit → poll / read / signal / cancel → collect          discover after a restart
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from skint.attempt import Exit, StopRequest, Task
from skint.errors import SkintError

Condition = Literal["absent", "pending", "running", "ended", "lost", "unknown"]
"""absent: the engine is sure it never took it. lost: proof that it is gone without an exit.
unknown: no answer; nothing follows from it."""


class ExecutorUnreachable(SkintError):
    """No answer. What was asked may or may not have happened; ask again later."""


class ExecutorRefused(SkintError):
    """The engine said no, and nothing was started."""


class StandbyGone(ExecutorRefused):
    """What was started ahead for an attempt has ended and cannot be given its devices."""


@dataclass(frozen=True)
class Capabilities:
    """What an executor can do; the scheduler and the screens adapt to it and say so."""

    shared_disk: bool = True
    """Attempt directories of the caller are visible where the attempt runs."""
    live_events: bool = True
    """Lines can be read while it runs, not only afterwards."""
    hard_cancel: bool = True
    """`cancel` ends it without its cooperation."""
    attempts_per_allocation: int = 1
    """How many attempts, one after the other, an allocation may carry."""
    together: bool = False
    """An allocation may carry attempts side by side, each on its part of the devices."""
    standby: bool = False
    """An attempt can be started ahead, without devices, and be given them later."""


@dataclass(frozen=True)
class Device:
    uuid: str
    name: str
    memory_mib: int | None = None
    simulated: bool = False


@dataclass(frozen=True)
class Capacity:
    """What the executor could give if nothing of ours ran. Advisory."""

    cpus: int
    mem_mb: int
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True)
class Submission:
    """One allocation, or one attempt of the CPU lane: what an engine starts under one name."""

    name: str
    tasks: tuple[Task, ...]
    """Run in turn, or side by side. One on an executor that carries one attempt an allocation."""
    folders: tuple[Path, ...]
    """The attempt directory of each task."""
    cpus: int
    mem_mb: int
    devices: tuple[str, ...] = ()
    together: bool = False
    """All tasks start at once, each with its own devices, and the end of one ends no other."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values to pass on. They are stored nowhere."""

    @property
    def handle(self) -> Handle:
        return Handle(self.name, tuple(task.attempt for task in self.tasks), self.folders)


@dataclass(frozen=True)
class Handle:
    """The address of a submission, rebuilt from the state after a restart."""

    name: str
    attempts: tuple[str, ...]
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class AttemptSight:
    """What is seen of one attempt."""

    condition: Condition
    started_ms: int | None = None
    exit: Exit | None = None
    """Set where `condition` is `ended`."""
    lost_ms: int | None = None
    """The latest time at which it can still have run, where `condition` is `lost` and known."""


@dataclass(frozen=True)
class Observation:
    """What is seen of a submission. `ended_ms` is when its devices came free."""

    condition: Condition
    reason: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    attempts: Mapping[str, AttemptSight] = field(default_factory=dict)


class Executor(Protocol):
    """A task with `standby_s` is started ahead: under the attempt's own name, without devices. The
    submission of an allocation with a task of the same attempt then gives it devices, limit and
    grace; until that is done, the allocation is `absent`, and the devices cost nothing."""

    name: str
    capabilities: Capabilities

    def stage(self, digests: Sequence[str]) -> None:
        """Make the contents with these digests available where attempts run."""

    def submit(self, submission: Submission) -> None:
        """Start it once, however often this is called with the same name.

        Returns when the engine has accepted. Raises ExecutorUnreachable (it may have started),
        ExecutorRefused (it has not) or StandbyGone (what was to be given devices is no more).
        """

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        """What is seen of each, by name, in one call to the engine; never raises for one."""

    def read(self, attempt: str, folder: Path, cursor: int) -> tuple[Sequence[bytes], int]:
        """Whole lines of its events from byte `cursor` on, and the cursor after them."""

    def signal(self, handle: Handle, request: StopRequest) -> None:
        """Ask its attempts to stop, or keep those from starting that have not arrived yet.

        Idempotent; the answer comes by `poll`. A handle may name some attempts of a submission.
        """

    def cancel(self, handle: Handle) -> None:
        """End its attempts without their cooperation, where the engine can. Idempotent."""

    def collect(self, attempt: str, folder: Path) -> None:
        """Bring what an ended attempt left into `folder`; nothing to do on a shared disk."""

    def discover(self) -> Sequence[Handle]:
        """Everything of ours that the engine still runs, whoever started it."""

    def capacity(self) -> Capacity: ...
