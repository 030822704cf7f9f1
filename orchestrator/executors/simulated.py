"""An engine that exists only in memory, on any clock, with the faults that real ones have.

`SimulatedEngine` is the outside world: it goes on while no scheduler lives. `SimulatedExecutor` is
one connection to it. What attempts do is a `Script`; what goes wrong is `Faults`, drawn from a
seeded generator, so that a failing week can be run again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.clock import Clock, SimulatedClock
from orchestrator.executors.base import (
    AttemptSight,
    Capabilities,
    Capacity,
    Device,
    ExecutorRefused,
    ExecutorUnreachable,
    Handle,
    Observation,
    Submission,
)
from skint.attempt import EXIT_STOPPED, Exit, StopRequest, Task


@dataclass(frozen=True)
class Script:
    """What one attempt does: lines at seconds from its start, then an end."""

    seconds: float = 60.0
    lines: tuple[tuple[float, Mapping[str, Any]], ...] = ()
    """(offset in seconds, {"kind": …, …}), in order."""
    code: int = 0
    stops_after_s: float | None = 1.0
    """How long it takes to stop when asked; None ignores the request until it is killed."""
    outputs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Faults:
    """Shares are probabilities of each call; times are seconds."""

    capabilities: Capabilities = field(default_factory=Capabilities)
    start_delay_s: float = 0.0
    lost_submit_share: float = 0.0
    """The submission arrives, its answer does not."""
    unsent_submit_share: float = 0.0
    """Neither arrives."""
    refused_submit_share: float = 0.0
    """The engine says no."""
    lost_poll_share: float = 0.0
    """Of the answers to everything else."""
    answer_delay_s: float = 0.0
    """How old what is seen is."""


@dataclass
class _Attempt:
    task: Task
    script: Script
    start_ms: int
    end_ms: int
    exit: Exit
    lines: list[tuple[int, bytes]]

    def move_up(self, by_ms: int) -> None:
        """What was to run before it has ended early."""
        self.start_ms -= by_ms
        self.end_ms -= by_ms
        self.exit = replace(self.exit, started_ms=self.start_ms, ended_ms=self.end_ms)
        self.lines = [_moved_up(line, by_ms) for _, line in self.lines]


def _moved_up(line: bytes, by_ms: int) -> tuple[int, bytes]:
    data = json.loads(line)
    data["at"] -= by_ms
    return data["at"], json.dumps(data).encode()


@dataclass
class _Submission:
    submission: Submission
    attempts: list[_Attempt]
    lost_ms: int | None = None


class SimulatedEngine:
    """The world that attempts run in. `script_of(task)` says what each does."""

    def __init__(
        self,
        clock: Clock,
        script_of: Callable[[Task], Script] = lambda task: Script(),
        *,
        faults: Faults = Faults(),
        cpus: int = 2,
        mem_mb: int = 8192,
        devices: int = 1,
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self.script_of = script_of
        self.faults = faults
        self.random = random.Random(seed)
        self.capacity = Capacity(
            cpus,
            mem_mb,
            tuple(Device(f"simulated-{n}", "simulated", simulated=True) for n in range(devices)),
        )
        self.submissions: dict[str, _Submission] = {}
        self.kept_ms: dict[str, int] = {}
        """Attempts that were stopped before they arrived, and when."""
        self.starts: list[str] = []
        """Every start of an attempt, in order: a name that stands here twice ran twice."""

    def accept(self, submission: Submission) -> None:
        if submission.name in self.submissions:
            return
        begin_ms = self.clock.now_ms() + round(self.faults.start_delay_s * 1000)
        attempts = []
        for task in submission.tasks:
            attempts.append(self._play(task, begin_ms))
            if task.attempt in self.kept_ms:
                self._ask(attempts[-1], begin_ms - 1, "stopped")
            begin_ms = attempts[-1].end_ms
        self.submissions[submission.name] = _Submission(submission, attempts)

    def _play(self, task: Task, start_ms: int) -> _Attempt:
        if task.attempt not in self.kept_ms:
            self.starts.append(task.attempt)
        script = self.script_of(task)
        end_ms = start_ms + round(script.seconds * 1000)
        reason = "done" if script.code == 0 else "failed"
        attempt = _Attempt(task, script, start_ms, 0, Exit(0, "", 0, 0), [])
        for seq, (offset_s, line) in enumerate(script.lines):
            at_ms = start_ms + round(offset_s * 1000)
            stamped = {"attempt": task.attempt, "fence": task.fence, "seq": seq, "at": at_ms}
            attempt.lines.append((at_ms, json.dumps({**stamped, **line}).encode()))
        self._end(attempt, end_ms, reason, script.code)
        if task.limit_s is not None:
            limit_ms = start_ms + round(task.limit_s * 1000)
            if limit_ms < end_ms:
                self._ask(attempt, limit_ms, "deadline")
        return attempt

    def _ask(self, attempt: _Attempt, at_ms: int, reason: str) -> None:
        """It is asked to stop at `at_ms`, and killed when its grace is over."""
        if at_ms >= attempt.end_ms:
            return
        if at_ms < attempt.start_ms:  # not begun yet: it never runs
            attempt.lines.clear()
            self._end(attempt, attempt.start_ms, "stopped", EXIT_STOPPED)
            return
        grace_s = attempt.task.grace_s
        needed_s = attempt.script.stops_after_s
        if needed_s is not None and needed_s <= grace_s:
            end_ms, code = at_ms + round(needed_s * 1000), EXIT_STOPPED
        else:
            end_ms, code = at_ms + round(grace_s * 1000), -9
            reason = "deadline" if reason == "deadline" else "killed"
        if end_ms < attempt.end_ms:
            self._end(attempt, end_ms, reason, code)

    def _end(self, attempt: _Attempt, end_ms: int, reason: str, code: int) -> None:
        outputs: dict[str, str] = {}
        if reason == "done":
            for name, content in attempt.script.outputs.items():
                outputs[name] = hashlib.sha256(content).hexdigest()
        digest = hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()
        attempt.end_ms = end_ms
        attempt.exit = Exit(
            code, reason, attempt.start_ms, end_ms, outputs, digest if reason == "done" else ""
        )
        self._announce(attempt)

    def _announce(self, attempt: _Attempt) -> None:
        if isinstance(self.clock, SimulatedClock):
            delay_ms = round(self.faults.answer_delay_s * 1000)
            for at_ms in (attempt.start_ms, attempt.end_ms, *(at for at, _ in attempt.lines)):
                if at_ms <= attempt.end_ms:
                    self.clock.alarm(at_ms + delay_ms)

    def ask(self, handle: Handle, reason: str, *, kill: bool = False) -> None:
        """Stop those attempts; one that has not arrived is kept from starting when it does."""
        held = self.submissions.get(handle.name)
        now_ms = self.clock.now_ms()
        if held is None:
            for name in handle.attempts:
                self.kept_ms.setdefault(name, now_ms)
            return
        for index, attempt in enumerate(held.attempts):
            before_ms = attempt.end_ms
            if attempt.task.attempt in handle.attempts and now_ms < attempt.end_ms:
                if kill and now_ms >= attempt.start_ms:
                    self._end(attempt, now_ms, "killed", -9)
                else:
                    self._ask(attempt, max(now_ms, attempt.start_ms - 1), reason)
            if attempt.end_ms < before_ms:
                for behind in held.attempts[index + 1 :]:
                    behind.move_up(before_ms - attempt.end_ms)
                    self._announce(behind)

    def lose(self, name: str) -> None:
        """The node under a submission is gone, with proof; its process may write on."""
        held = self.submissions[name]
        held.lost_ms = self.clock.now_ms() if held.lost_ms is None else held.lost_ms

    def seen_ms(self) -> int:
        return self.clock.now_ms() - round(self.faults.answer_delay_s * 1000)


class SimulatedExecutor:
    """One connection to an engine; a restarted scheduler makes a new one."""

    name = "simulated"

    def __init__(self, engine: SimulatedEngine, name: str = "simulated") -> None:
        self.engine = engine
        self.name = name
        self.capabilities = engine.faults.capabilities

    def _answers(self, share: float) -> bool:
        return self.engine.random.random() >= share

    def stage(self, digests: Sequence[str]) -> None:
        """Inputs are not simulated."""

    def submit(self, submission: Submission) -> None:
        faults = self.engine.faults
        if not self._answers(faults.unsent_submit_share):
            raise ExecutorUnreachable("the engine did not answer")
        if submission.name not in self.engine.submissions and not self._answers(
            faults.refused_submit_share
        ):
            raise ExecutorRefused("the engine is full")
        self.engine.accept(submission)
        if not self._answers(faults.lost_submit_share):
            raise ExecutorUnreachable("the engine did not answer")

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        return {handle.name: self._see(handle) for handle in handles}

    def _see(self, handle: Handle) -> Observation:
        if not self._answers(self.engine.faults.lost_poll_share):
            return Observation("unknown", "the engine did not answer")
        held = self.engine.submissions.get(handle.name)
        if held is None:
            return self._kept(handle)
        now_ms = self.engine.seen_ms()
        sights = {a.task.attempt: _sight(a, held, now_ms) for a in held.attempts}
        first, last = held.attempts[0], held.attempts[-1]
        started_ms = first.start_ms if first.start_ms <= now_ms else None
        if held.lost_ms is not None and held.lost_ms < last.end_ms and now_ms >= held.lost_ms:
            return Observation("lost", "its node is down", started_ms, None, sights)
        if now_ms >= last.end_ms:
            return Observation("ended", "", first.start_ms, last.end_ms, sights)
        return Observation(
            "pending" if started_ms is None else "running", "", started_ms, None, sights
        )

    def _kept(self, handle: Handle) -> Observation:
        """Of a submission that never arrived: ended, if it was told not to start."""
        kept_ms = [self.engine.kept_ms.get(name) for name in handle.attempts]
        if None in kept_ms:
            return Observation("absent")
        sights = {}
        for name in handle.attempts:
            at_ms = self.engine.kept_ms[name]
            exit = Exit(EXIT_STOPPED, "stopped", at_ms, at_ms)
            sights[name] = AttemptSight("ended", at_ms, exit)
        at_ms = max(self.engine.kept_ms[name] for name in handle.attempts)
        return Observation("ended", "", at_ms, at_ms, sights)

    def read(self, attempt: str, folder: Path, cursor: int) -> tuple[Sequence[bytes], int]:
        """Lines written by now; the cursor counts lines here."""
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        found = _find(self.engine, attempt)
        if found is None:
            return (), cursor
        now_ms = min(self.engine.seen_ms(), found.end_ms)
        whole = [line for at_ms, line in found.lines if at_ms <= now_ms]
        return whole[cursor:], max(cursor, len(whole))

    def signal(self, handle: Handle, request: StopRequest) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        self.engine.ask(handle, "stopped")

    def cancel(self, handle: Handle) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        if self.capabilities.hard_cancel:
            self.engine.ask(handle, "killed", kill=True)

    def collect(self, attempt: str, folder: Path) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        found = _find(self.engine, attempt)
        if found is None:
            return
        for name, content in found.script.outputs.items():
            path = folder / "out" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "out").mkdir(parents=True, exist_ok=True)

    def discover(self) -> Sequence[Handle]:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        now_ms = self.engine.seen_ms()
        return [
            held.submission.handle
            for held in self.engine.submissions.values()
            if held.lost_ms is None and now_ms < held.attempts[-1].end_ms
        ]

    def capacity(self) -> Capacity:
        return self.engine.capacity


def _sight(attempt: _Attempt, held: _Submission, now_ms: int) -> AttemptSight:
    started_ms = attempt.start_ms if attempt.start_ms <= now_ms else None
    if now_ms >= attempt.end_ms and not (
        held.lost_ms is not None and held.lost_ms < attempt.end_ms
    ):
        return AttemptSight("ended", attempt.start_ms, attempt.exit)
    if held.lost_ms is not None and now_ms >= held.lost_ms:
        return AttemptSight("lost", started_ms, lost_ms=held.lost_ms)
    return AttemptSight("pending" if started_ms is None else "running", started_ms)


def _find(engine: SimulatedEngine, attempt: str) -> _Attempt | None:
    for held in engine.submissions.values():
        for candidate in held.attempts:
            if candidate.task.attempt == attempt:
                return candidate
    return None
