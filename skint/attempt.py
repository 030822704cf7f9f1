"""The attempt directory: the whole protocol between an orchestrator and a job.

It is a folder because a pipe dies with the orchestrator and does not exist on Slurm or Kaggle.
`AttemptDir` names every file in it once; everything else asks it. Standard library only: the shim
runs on machines that have nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

TASK_VERSION = 1

EXIT_STOPPED = 75
"""Exit code of a worker that stopped because it was asked to (EX_TEMPFAIL: resume it later)."""
EXIT_UNSAVED = 74
"""Of one that could not write its checkpoint (EX_IOERR): the one before stands."""

StopHow = Literal["epoch", "step", "kill"]
StopThen = Literal["end", "requeue"]


@dataclass(frozen=True)
class StopRequest:
    """Ask an attempt to stop. *Park* is `step` + `requeue`; *cancel* is `step` + `end`."""

    how: StopHow
    then: StopThen
    reason: str
    """A fixed reason code, e.g. `cancelled`, `broken`, `deadline`."""
    sentence: str = ""
    """The same for a person, with numbers."""


@dataclass(frozen=True)
class Task:
    """What an attempt is to do; `task.json`. Values of environment variables never stand here."""

    attempt: str
    """Unique name of this execution, e.g. `seedlings-1.train.fold0.1`."""
    fence: int
    """Grows with each attempt of the job; lines of an older fence are void."""
    run: str
    job: str
    uses: str = ""
    """`resize`, `my_module:my_job` or `./train.py:fit`; empty when `argv` is set."""
    argv: tuple[str, ...] = ()
    """The program of a `run:` job."""
    cwd: str = ""
    """The plan's directory: user modules and relative paths are found from here."""
    python: str = ""
    """The interpreter that runs the job (`python:` in a plan); empty for the shim's own."""
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`out/` folders of all ancestors by plan entry, nearest first; a group has one per job."""
    fold: int | None = None
    folds: int | None = None
    devices: tuple[str, ...] = ()
    """UUIDs of the accelerators it holds, or `simulated-0`; empty in the CPU lane."""
    device_count: int = 0
    """How many it holds, or will: known also of one that is started ahead of them."""
    cpus: int = 1
    limit_s: float | None = None
    """Seconds after which it is asked to park."""
    grace_s: float = 30.0
    """Seconds from being asked to being killed. `limit_s + grace_s` is the deadline."""
    smoke: bool = False
    """True for the ten-second rehearsal of an accelerator job on the CPU."""
    previous: str | None = None
    """`out/` of the job's previous attempt, to resume from."""
    caller: Mapping[str, Any] | None = None
    """The process whose environment the program gets, as `skint.process.Identity`; None: the
    shim's own. What the program prints is then split by stream (`skint.calling`), and with `reads`
    it prints no faster than that process writes to `log.read` that it has shown it."""
    standby_s: float | None = None
    """Set for one that is started ahead, without devices: so long it waits for `go.json` at most.
    Its limit counts from there on."""
    version: int = TASK_VERSION

    def given(self, devices: tuple[str, ...], limit_s: float | None, grace_s: float) -> Task:
        """That of one that was started ahead, once it has its devices."""
        return replace(self, devices=devices, limit_s=limit_s, grace_s=grace_s, standby_s=None)


@dataclass(frozen=True)
class Go:
    """What an attempt that was started ahead waits for; `go.json`, written once for good.

    Who wants to end one that still waits writes it too, as `void`: only one of the two can be.
    """

    allocation: str
    """What pays for the devices; empty where it is void."""
    at_ms: int
    """Unix time in milliseconds from which the devices are kept, and paid for."""
    devices: tuple[str, ...] = ()
    limit_s: float | None = None
    """In place of the task's; counted from `at_ms`, as is the deadline."""
    grace_s: float = 30.0

    @property
    def void(self) -> bool:
        """Nobody gives it devices any more."""
        return not self.allocation


@dataclass(frozen=True)
class Exit:
    """How an attempt ended; `exit.json`, written once by the shim when no process is left."""

    code: int
    reason: str
    """`done`, `failed`, `stopped`, `deadline` or `killed`; `unused` where it was started ahead and
    never got devices."""
    started_ms: int
    """Unix time in milliseconds at which the worker was started, or was given its devices; one
    that never got any ends as it starts."""
    ended_ms: int
    """Unix time in milliseconds at which its last process was gone."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by path relative to `out/`, without `out/local/`."""
    digest: str = ""
    """SHA-256 over `outputs`: the content of the result. Empty unless `reason` is `done`."""


@dataclass(frozen=True)
class AttemptDir:
    """Names every file of an attempt once."""

    path: Path

    @property
    def task(self) -> Path:
        return self.path / "task.json"

    @property
    def claim(self) -> Path:
        """Created exclusively by the shim that runs this attempt; a second shim leaves."""
        return self.path / "claim"

    @property
    def handle(self) -> Path:
        """Identity of the shim process: pid, start ticks, boot id."""
        return self.path / "handle.json"

    @property
    def events(self) -> Path:
        """Append-only JSON lines, each with attempt, fence, seq, at, kind."""
        return self.path / "events.jsonl"

    @property
    def stop(self) -> Path:
        return self.path / "stop"

    @property
    def go(self) -> Path:
        """The devices of an attempt that was started without them."""
        return self.path / "go.json"

    @property
    def exit(self) -> Path:
        return self.path / "exit.json"

    @property
    def stamp(self) -> Path:
        """Sizes and times of what was published, as this machine's disk has them."""
        return self.path / "stamp.json"

    @property
    def meters(self) -> Path:
        """What was measured of it so far, for the next scheduler should this one be killed."""
        return self.path / "meters.json"

    @property
    def damage(self) -> Path:
        """What was found wrong with what was published, by those who wanted to use it."""
        return self.path / "damage.json"

    @property
    def out(self) -> Path:
        """What the job publishes."""
        return self.path / "out"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def streams(self) -> Path:
        """Which bytes of the log came from which stream: `o START LENGTH`, or `e …`, a line."""
        return self.path / "log.streams"

    @property
    def read(self) -> Path:
        """How many bytes of the log the process that started the program has shown."""
        return self.path / "log.read"

    def create(self, task: Task) -> None:
        """Lay the directory out; writing the same task again changes nothing."""
        self.out.mkdir(parents=True, exist_ok=True)
        write_json(self.task, asdict(task), durable=False)  # a power cut ends the attempt too

    def read_task(self) -> Task:
        """Raises ValueError where the file is there and is no task."""
        try:
            data = json.loads(self.task.read_text())
            task = Task(
                **{
                    **data,
                    "argv": tuple(data["argv"]),
                    "devices": tuple(data["devices"]),
                    "inputs": {name: tuple(paths) for name, paths in data["inputs"].items()},
                }
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{self.task} is no task: {error!r}") from error
        if not all(type(text) is str for text in (task.attempt, task.run, task.job)):
            raise ValueError(f"{self.task} is no task: it has no name")
        return task

    def request_stop(self, request: StopRequest) -> None:
        write_json(self.stop, asdict(request))

    def read_stop(self) -> StopRequest | None:
        try:
            return StopRequest(**json.loads(self.stop.read_text()))
        except FileNotFoundError:
            return None

    def give(self, go: Go) -> Go:
        """Write `go.json` unless there is one; what stands there then."""
        write_once(self.go, json.dumps(asdict(go), separators=(",", ":")).encode())
        known = self.read_go()
        assert known is not None
        return known

    def read_go(self) -> Go | None:
        """None before it is there. Raises ValueError where the file is there and is none."""
        try:
            data = json.loads(self.go.read_text())
            return Go(**{**data, "devices": tuple(data["devices"])})
        except FileNotFoundError:
            return None
        except (TypeError, KeyError) as error:
            raise ValueError(f"{self.go} gives no devices: {error!r}") from error

    def read_exit(self) -> Exit | None:
        """None without a record. Raises ValueError where the file is there and is none."""
        try:
            exit = Exit(**json.loads(self.exit.read_text()))
        except FileNotFoundError:
            return None
        except TypeError as error:
            raise ValueError(f"{self.exit} is no exit record: {error}") from error
        numbers = (exit.code, exit.started_ms, exit.ended_ms)
        texts = (exit.reason, exit.digest)
        if not (
            all(type(number) is int for number in numbers)
            and all(type(text) is str for text in texts)
            and isinstance(exit.outputs, dict)
            and all(type(digest) is str for digest in exit.outputs.values())
        ):
            raise ValueError(f"{self.exit} is no exit record: {exit}")
        return exit


def write_json(path: Path, data: object, *, durable: bool = True) -> None:
    """Write atomically: a reader sees the old file or the new one, never half.

    Durably too, unless nothing reads the file after a power cut but what can do without it.
    """
    write_atomic(path, json.dumps(data, separators=(",", ":")).encode(), durable=durable)


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    os.replace(_written_beside(path, content, durable=durable), path)


def write_once(path: Path, content: bytes) -> bool:
    """As `write_atomic`, where nothing stands there yet; False, and no change, where it does."""
    temporary = _written_beside(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _written_beside(path: Path, content: bytes, *, durable: bool = True) -> Path:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    return temporary
