"""An engine that exists only in memory, on any clock, with the faults that real ones have.

It is the outside world: it goes on while no scheduler lives. What attempts do is a `Script`; what
goes wrong is `Faults`, drawn from a seeded generator, so that a failing week can be run again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import to_json

from orchestrator.clock import Clock, SimulatedClock
from orchestrator.executors.base import (
    Capabilities,
    Capacity,
    Device,
    Handle,
    StandbyGone,
    Submission,
)
from skint.attempt import EXIT_STOPPED, Exit, Task


def _digest_of(outputs: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


_NOTHING = _digest_of({})
"""Of most jobs here."""


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
    prepare_s: float = 0.0
    """How much of `seconds` needs no devices: it can be done ahead of them."""


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
    doubled_line_share: float = 0.0
    """Of the lines: it stands there twice."""
    swapped_line_share: float = 0.0
    """Of the lines: the next one stands before it."""
    late_line_share: float = 0.0
    """Of the lines: it, and so all behind it, arrives `late_line_s` after it was written."""
    late_line_s: float = 0.0


@dataclass
class RealAttempt:
    """What an attempt really does, whatever anybody knows of it."""

    task: Task
    script: Script
    start_ms: int
    end_ms: int
    exit: Exit
    lines: list[tuple[int, bytes]]
    """(when it can be read, the line), as they stand in the file."""

    def move(self, by_ms: int, from_ms: int = 0) -> None:
        """All that was to come after `from_ms` comes `by_ms` later; earlier, where negative."""
        self.start_ms += by_ms if self.start_ms > from_ms else 0
        self.end_ms += by_ms if self.end_ms > from_ms else 0
        self.exit = replace(self.exit, started_ms=self.start_ms, ended_ms=self.end_ms)
        self.lines = [
            _moved(at_ms, line, by_ms) if at_ms > from_ms else (at_ms, line)
            for at_ms, line in self.lines
        ]


def _moved(at_ms: int, line: bytes, by_ms: int) -> tuple[int, bytes]:
    data = json.loads(line)
    data["at"] += by_ms
    return at_ms + by_ms, json.dumps(data).encode()


@dataclass
class RealSubmission:
    """What an engine really keeps devices for."""

    submission: Submission
    attempts: list[RealAttempt]
    lost_ms: int | None = None

    @property
    def start_ms(self) -> int:
        return min(attempt.start_ms for attempt in self.attempts)

    @property
    def end_ms(self) -> int:
        """When the last of its attempts ends: so long its devices are kept."""
        return max(attempt.end_ms for attempt in self.attempts)


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
        simulated: bool = True,
        files: bool = True,
        wakes_for_lines: bool = True,
        seed: int = 0,
    ) -> None:
        """`simulated` is what its devices say of themselves. Without `files`, nothing that
        attempts leave is written to a disk. `wakes_for_lines`: a simulated clock stops for each."""
        self.clock = clock
        self.script_of = script_of
        self.faults = faults
        self.random = random.Random(seed)
        self.capacity = Capacity(
            cpus,
            mem_mb,
            tuple(
                Device(f"simulated-{n}", "simulated", simulated=simulated) for n in range(devices)
            ),
        )
        self.files = files
        self.wakes_for_lines = wakes_for_lines
        self.submissions: dict[str, RealSubmission] = {}
        self.submission_of: dict[str, str] = {}
        """By attempt."""
        self.running: dict[str, RealSubmission] = {}
        """Those that had not ended when somebody last asked."""
        self.happened: Counter[str] = Counter()
        """What went wrong, by kind."""
        self.kept_ms: dict[str, int] = {}
        """Attempts that were stopped before they arrived, and when."""
        self.starts: list[str] = []
        """Every start of an attempt, in order: a name that stands here twice ran twice."""

    def accept(self, submission: Submission) -> None:
        if submission.name in self.submissions:
            return
        ahead = self._ahead(submission)
        for before in ahead.values():
            self._is_ready_for(before)
        begin_ms = self.clock.now_ms() + round(self.faults.start_delay_s * 1000)
        attempts = []
        for task in submission.tasks:
            if task.attempt in ahead:
                attempts.append(self._give_devices(ahead[task.attempt], task))
                continue
            attempts.append(self._play(task, begin_ms))
            if task.attempt in self.kept_ms:
                self._ask(attempts[-1], begin_ms - 1, "stopped")
            begin_ms = begin_ms if submission.together else attempts[-1].end_ms
        held = RealSubmission(submission, attempts)
        self.submissions[submission.name] = self.running[submission.name] = held
        self.submission_of.update({task.attempt: submission.name for task in submission.tasks})

    def _ahead(self, submission: Submission) -> dict[str, RealSubmission]:
        """What was started ahead under the names of attempts that `submission` has."""
        names = [task.attempt for task in submission.tasks]
        return {
            name: self.submissions[name]
            for name in names
            if name in self.submissions and name != submission.name
        }

    def _is_ready_for(self, ahead: RealSubmission) -> None:
        """Raise StandbyGone where it cannot be given devices, now or later."""
        now_ms = self.clock.now_ms()
        (before,) = ahead.attempts
        if now_ms >= before.end_ms or ahead.lost_ms is not None or now_ms < before.start_ms:
            self._end(before, min(before.end_ms, max(now_ms, before.start_ms)), "unused", 1)
            self.happened["standby gone"] += 1
            raise StandbyGone("what was started ahead has ended")

    def _give_devices(self, ahead: RealSubmission, task: Task) -> RealAttempt:
        """What it has done by now needs not be done again."""
        now_ms = self.clock.now_ms()
        (before,) = ahead.attempts
        self.happened["devices given"] += 1
        done_s = min((now_ms - before.start_ms) / 1000, before.script.prepare_s)
        self._end(before, now_ms, "unused", EXIT_STOPPED)
        attempt = self._play(task, now_ms, done_s)
        # One file: what somebody has read of it before stands where it stood.
        attempt.lines[:0] = [line for line in before.lines if line[0] <= now_ms]
        return attempt

    def _play_ahead(self, task: Task, start_ms: int) -> RealAttempt:
        """It prepares, says that it is ready, and waits."""
        self.happened["started ahead"] += 1
        script = self.script_of(task)
        assert task.standby_s is not None
        end_ms, code = start_ms + round(task.standby_s * 1000), EXIT_STOPPED
        attempt = RealAttempt(task, script, start_ms, 0, Exit(0, "", 0, 0), [])
        if script.code and script.seconds <= script.prepare_s:
            end_ms, code = start_ms + round(script.seconds * 1000), script.code
        ready_ms = start_ms + round(script.prepare_s * 1000)
        if ready_ms <= end_ms:
            line = {"attempt": task.attempt, "fence": task.fence, "seq": 0, "at": ready_ms}
            attempt.lines.append((ready_ms, to_json({**line, "kind": "ready"})))
        self._end(attempt, end_ms, "unused", code)
        return attempt

    def _play(self, task: Task, start_ms: int, done_s: float = 0.0) -> RealAttempt:
        """`done_s` of what it does was done ahead."""
        if task.standby_s is not None:
            return self._play_ahead(task, start_ms)
        if task.attempt not in self.kept_ms:
            self.starts.append(task.attempt)
        script = self.script_of(task)
        end_ms = start_ms + round((script.seconds - done_s) * 1000)
        reason = "done" if script.code == 0 else "failed"
        attempt = RealAttempt(task, script, start_ms, 0, Exit(0, "", 0, 0), [])
        for seq, (offset_s, line) in enumerate(script.lines):
            at_ms = start_ms + round(max(0.0, offset_s - done_s) * 1000)
            stamped = {"attempt": task.attempt, "fence": task.fence, "seq": seq, "at": at_ms}
            attempt.lines.append((at_ms, to_json({**stamped, **line})))
        attempt.lines = self._garbled(attempt.lines)
        self._end(attempt, end_ms, reason, script.code)
        if task.limit_s is not None:
            limit_ms = start_ms + round(task.limit_s * 1000)
            if limit_ms < end_ms:
                self._ask(attempt, limit_ms, "deadline")
        return attempt

    def _garbled(self, lines: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Lines as a bad way brings them: twice, in another order, late."""
        faults = self.faults
        if not (faults.doubled_line_share or faults.swapped_line_share or faults.late_line_share):
            return lines
        texts = []
        for at_ms, line in lines:
            texts.append((at_ms, line))
            if self.goes_wrong(faults.doubled_line_share, "line doubled"):
                texts.append((at_ms, line))
        for n in range(1, len(texts)):
            if self.goes_wrong(faults.swapped_line_share, "lines swapped"):
                texts[n - 1], texts[n] = texts[n], texts[n - 1]
        found: list[tuple[int, bytes]] = []
        seen_ms = 0
        for at_ms, line in texts:
            if self.goes_wrong(faults.late_line_share, "line late"):
                at_ms += round(faults.late_line_s * 1000)
            seen_ms = max(seen_ms, at_ms)
            found.append((seen_ms, line))
        return found

    def goes_wrong(self, share: float, kind: str) -> bool:
        """One throw of the dice, counted under `kind`."""
        if self.random.random() < share:
            self.happened[kind] += 1
            return True
        return False

    def _ask(self, attempt: RealAttempt, at_ms: int, reason: str) -> None:
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

    def _end(self, attempt: RealAttempt, end_ms: int, reason: str, code: int) -> None:
        outputs: dict[str, str] = {}
        digest = ""
        if attempt.task.standby_s is not None:
            reason = "unused"
        if reason == "done":
            for name, content in attempt.script.outputs.items():
                outputs[name] = hashlib.sha256(content).hexdigest()
            digest = _digest_of(outputs) if outputs else _NOTHING
        attempt.end_ms = end_ms
        attempt.exit = Exit(code, reason, attempt.start_ms, end_ms, outputs, digest)
        self._announce(attempt)

    def _announce(self, attempt: RealAttempt) -> None:
        if isinstance(self.clock, SimulatedClock):
            delay_ms = round(self.faults.answer_delay_s * 1000)
            lines = attempt.lines if self.wakes_for_lines else ()
            for at_ms in (attempt.start_ms, attempt.end_ms, *(at for at, _ in lines)):
                if at_ms <= attempt.end_ms:
                    self.clock.alarm(at_ms + delay_ms)

    def ask(self, handle: Handle, reason: str, *, kill: bool = False) -> None:
        """Stop those attempts; one that has not arrived is kept from starting when it does."""
        held = self.submissions.get(handle.name)
        now_ms = self.clock.now_ms()
        if held is None:
            for name in handle.attempts:
                self.kept_ms.setdefault(name, now_ms)
                if name in self.submissions:  # it stood by for that
                    (ahead,) = self.submissions[name].attempts
                    self._end(ahead, min(ahead.end_ms, now_ms), "unused", EXIT_STOPPED)
            return
        for index, attempt in enumerate(held.attempts):
            before_ms = attempt.end_ms
            if attempt.task.attempt in handle.attempts and now_ms < attempt.end_ms:
                if kill and now_ms >= attempt.start_ms:
                    self._end(attempt, now_ms, "killed", -9)
                else:
                    self._ask(attempt, max(now_ms, attempt.start_ms - 1), reason)
            if attempt.end_ms < before_ms and not held.submission.together:
                for behind in held.attempts[index + 1 :]:
                    behind.move(attempt.end_ms - before_ms)
                    self._announce(behind)

    def lose(self, name: str) -> None:
        """The node under a submission is gone, with proof; its process may write on."""
        held = self.submissions[name]
        held.lost_ms = self.clock.now_ms() if held.lost_ms is None else held.lost_ms

    def suspend(self, by_ms: int) -> None:
        """The machine sleeps for `by_ms` from now: what runs comes that much later, but deadlines
        are times, and one that is over when it wakes up is kept then."""
        now_ms = self.clock.now_ms()
        for held in self.submissions.values():
            for index, attempt in enumerate(held.attempts):
                if attempt.end_ms <= now_ms or (held.lost_ms or now_ms + 1) <= now_ms:
                    continue
                attempt.move(by_ms, now_ms)
                self._announce(attempt)
                ahead = attempt.task.standby_s is not None
                if attempt.task.limit_s is not None and attempt.start_ms < now_ms and not ahead:
                    before_ms = attempt.end_ms
                    limit_ms = attempt.start_ms + round(attempt.task.limit_s * 1000)
                    self._ask(attempt, max(limit_ms, now_ms + by_ms), "deadline")
                    if held.submission.together:
                        continue
                    for behind in held.attempts[index + 1 :]:
                        behind.move(attempt.end_ms - before_ms)

    def seen_ms(self) -> int:
        return self.clock.now_ms() - round(self.faults.answer_delay_s * 1000)
