"""A lease on the ledger for one transaction: on a network disk, beside SQLite's own locks.

A file that only one process can make says who writes: host, boot, process. A process of the same
host that is gone leaves a dead lease, which is taken over at once; whether one of another host
lives cannot be seen from here, so its lease is waited for and taken over when it is old.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

OLD_S = 600.0
"""A transaction takes milliseconds: what is this old was left by a machine that died in one."""

WAIT_S = 30.0
_STEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease: a process that cannot be taken for another one, not even after a reboot.

    `boot` also names the space in which `pid` counts: a container has processes of its own.
    """

    host: str
    boot: str
    pid: int
    born: str
    token: str
    """Of one holding: two threads of a process are two holders."""

    @classmethod
    def me(cls) -> Holder:
        """This process, with a token of its own."""
        return cls(
            os.uname().nodename, _boot(), os.getpid(), _born(os.getpid()), os.urandom(8).hex()
        )


class LeaseTaken(Exception):
    """Somebody else holds it, and will not let go soon."""

    def __init__(self, holder: Holder | None, age_s: float) -> None:
        who = "somebody" if holder is None else f"process {holder.pid} on {holder.host}"
        super().__init__(f"{who}, for {age_s:.0f} s")
        self.holder = holder


class LeaseLost(Exception):
    """It was taken over while we held it: this machine was stopped for longer than it lives."""


def may_take(holder: Holder | None, age_s: float, me: Holder, holder_lives: bool) -> bool:
    """Whether the lease of `holder` (None: it cannot be read) is dead.

    `holder_lives` is what is known of it if it is of the same host and boot as `me`.
    """
    if holder is not None and holder.host == me.host:
        if holder.boot.split("/")[0] != me.boot.split("/")[0]:
            return True  # this host was started anew
        if holder.boot == me.boot:
            return not holder_lives
    return age_s > OLD_S


@contextlib.contextmanager
def lease(path: Path, *, wait_s: float = WAIT_S) -> Iterator[Lease]:
    """Hold the lease `path`, which is made for that and removed afterwards.

    Raises `LeaseTaken` if it is not to be had within `wait_s`, and OSError.
    """
    held = Lease(path, Holder.me())
    held.take(wait_s)
    try:
        yield held
    finally:
        held.give_back()


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease in the file `path` for the holder `me`."""

    path: Path
    me: Holder

    def take(self, wait_s: float) -> None:
        """Make the file, or wait for whoever has made it."""
        for _ in range(max(1, round(wait_s / _STEP_S))):
            if self._make():
                return
            holder, age_s = self._standing()
            if may_take(holder, age_s, self.me, holder is not None and _lives(holder)):
                self._take_over(holder)
            else:
                time.sleep(_STEP_S)
        holder, age_s = self._standing()
        raise LeaseTaken(holder, age_s)

    def check(self) -> None:
        """Raise `LeaseLost` unless it is still ours: to be asked right before a commit."""
        if _read(self.path) != self.me:
            raise LeaseLost(f"{self.path} is another's now")

    def give_back(self) -> None:
        """Remove it, unless it is another's by now."""
        if _read(self.path) == self.me:
            self.path.unlink(missing_ok=True)

    def _make(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            with open(descriptor, "w") as file:
                json.dump(asdict(self.me), file)
        except OSError:  # a full disk: an empty lease would be nobody's, and keep everybody out
            self.path.unlink(missing_ok=True)
            raise
        return True

    def _standing(self) -> tuple[Holder | None, float]:
        """Who holds it, and for how long by the clock of the disk: no two machines agree."""
        probe = self.path.with_name(f"{self.path.name}.{self.me.token}")
        try:
            probe.touch()
            age_s = probe.stat().st_mtime - self.path.stat().st_mtime
        except FileNotFoundError:  # it was given back meanwhile
            age_s = 0.0
        finally:
            probe.unlink(missing_ok=True)
        return _read(self.path), age_s

    def _take_over(self, dead: Holder | None) -> None:
        """Move the dead lease away. Of two who do so one moves it, and the other may move the
        first one's new lease: that is put back."""
        grave = self.path.with_name(f"{self.path.name}.{self.me.token}")
        try:
            self.path.rename(grave)
        except FileNotFoundError:
            return
        if _read(grave) != dead:
            with contextlib.suppress(FileExistsError):
                os.link(grave, self.path)
        grave.unlink()


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):  # gone, or torn: its age decides
        return None


def _lives(holder: Holder) -> bool:
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return _born(holder.pid) == holder.born  # else the number was given to another process


def _born(pid: int) -> str:
    """When the process began, in ticks since the boot; "" where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
