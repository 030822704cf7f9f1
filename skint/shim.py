"""The shim: starts one attempt, holds its deadline, and leaves nobody behind.

    python -S -P -m skint.shim DIR            (or the path of this file in place of -m skint.shim)

Every executor starts it. It owns the truth about the end of an attempt: `exit.json` is written when
the last process is gone, also if the orchestrator is dead and the worker hangs. Standard library
only, and a single thread: the kernel's "die with parent" follows the thread that forked.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType

if __package__ in (None, ""):  # started by its path: -P leaves the folder of skint off the path
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from skint import bell
from skint.attempt import (
    AttemptDir,
    Exit,
    Go,
    StopHow,
    StopRequest,
    Task,
    write_json,
)
from skint.environment import worker_environment
from skint.events import EventWriter
from skint.log import BOUNDS, Bounds, Keeper, last_line
from skint.outputs import digest_of, hash_outputs, stamps_of
from skint.process import (
    adopt_orphans,
    descendants,
    identity,
    in_group,
    send,
    send_group,
)
from skint.starting import BACK_TO_DEFAULT, start
from skint.watch import SIGNALLED, Watch, exit_reason

POLL_S = 0.05
"""How often the stop request and the deadline are looked at."""
NOT_STARTED = 127

TIGHT_BYTES = 1 << 20
"""A disk with less than this free counts as full."""

CALLING = Path(__file__).with_name("calling.py")
"""Starts a program in the environment of whoever asked for it."""

DEADLINE = StopRequest("step", "requeue", "deadline", "its time limit was reached")
UNUSED = StopRequest("step", "requeue", "unused", "no devices came for what was started ahead")
NO_DEVICES = Go("", 0)
"""Nobody gives it any, now or later."""
TERMINATED = StopRequest("step", "requeue", "terminated", "the shim was told to end (TERM)")


def main(arguments: list[str], bounds: Bounds = BOUNDS) -> int:
    """Run the attempt in the given directory; 0 when it has been run or is another shim's."""
    if len(arguments) != 1:
        print("usage: python -S -P -m skint.shim DIR", file=sys.stderr)
        return 2
    directory = AttemptDir(Path(arguments[0]).resolve())
    try:
        os.close(os.open(directory.claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return 0
    me = identity(os.getpid())
    write_json(directory.handle, asdict(me) if me else {}, durable=False)
    adopt_orphans()
    Shim(directory, directory.read_task(), bounds).run()
    if bell.VARIABLE in os.environ:
        bell.ring(Path(os.environ[bell.VARIABLE]))
    return 0


def boottime_s() -> float:
    """Seconds on a clock that runs during suspend and does not jump when the date is set."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class Shim:
    """One attempt from start to `exit.json`."""

    def __init__(self, directory: AttemptDir, task: Task, bounds: Bounds) -> None:
        self.directory = directory
        self.task = task
        self.log = Keeper(directory, bounds)
        self.events = EventWriter.of(directory, task)
        self.watch = Watch()
        self.worker = 0
        self.code: int | None = None
        self.started_ms = 0
        self.start_s = 0.0
        self.looked_s = 0.0
        """When it was looked for devices last, on the same clock as `start_s`."""
        self.wakeup, writing = os.pipe()
        for end in (self.wakeup, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        # Ctrl-C and a closed terminal are the orchestrator's: it asks us to stop if it wants to.
        for number in BACK_TO_DEFAULT:
            signal.signal(number, self._on_signal)

    def run(self) -> None:
        """Start the worker, watch it to its end, end what it left behind, write `exit.json`."""
        self.started_ms = time.time_ns() // 10**6
        self.start_s = self.looked_s = boottime_s()
        try:
            code = self._watch_worker() if self._start() else NOT_STARTED
        finally:
            self._kill_tree()
        self._look_at_log()
        self._read_stop()  # it may have seen the file, and left, before it was looked at here
        if self.task.standby_s is not None:
            # From here on nobody can give it devices; and if somebody just has, they are paid for.
            self._begin(self._give_up())
        # Not the wall clock: it may have been set meanwhile. Not after hashing: nobody ran then.
        ended_ms = self.started_ms + round(self._elapsed_s() * 1000)
        unused = self.task.standby_s is not None
        program = bool(self.task.argv)
        reason = "unused" if unused else exit_reason(code, self.watch, program=program)
        if reason == "failed":
            self._explain(code)
        if reason == "done":  # before they are read: what changes meanwhile shows
            write_json(self.directory.stamp, stamps_of(self.directory.out), durable=False)
        outputs = hash_outputs(self.directory.out) if reason == "done" else {}
        digest = digest_of(outputs) if reason == "done" else ""
        started_ms = ended_ms if unused else self.started_ms  # whoever pays by it pays nothing
        end = Exit(code, reason, started_ms, ended_ms, outputs, digest)
        write_json(self.directory.exit, asdict(end))

    def _start(self) -> bool:
        task = self.task
        own = (task.python or sys.executable, "-P", "-m", "skint.worker", str(self.directory.path))
        if task.caller:
            own = (sys.executable, "-S", "-P", str(CALLING), str(self.directory.path))
        command = own if task.caller else task.argv or own

        environ = worker_environment(self.directory, task, os.environ)
        try:
            with self.directory.log.open("ab") as log:
                self.worker = start(command, environ, cwd=task.cwd, output=log.fileno())
        except OSError as error:
            # error.filename is the program, or the folder if that is what is missing.
            self.events.error(
                f"{command[0]} cannot be started", where=task.cwd or None, got=str(error)
            )
            return False
        self.events.write("started", pid=self.worker)
        return True

    def _watch_worker(self) -> int:
        """Wait for the worker, asking it to stop and killing it when the time has come."""
        while True:
            self._reap()
            if self.code is not None and not self._lingers():
                return self.code
            self._look()
            if not self.watch.killed:
                self._look_at_log()
            if self.watch.killed:
                self._kill_tree()
            else:
                select.select([self.wakeup], [], [], POLL_S)
                self._drain()

    def _look(self) -> None:
        """Read the stop request and the clock, and act."""
        if self.task.standby_s is not None:
            go = self._read_go()
            if go is not None:
                self._begin(go)
            if self.watch.killed:
                return
        ahead = self.task.standby_s is not None
        watch, limit_s = self.watch, self.task.standby_s if ahead else self.task.limit_s
        now_s = self._elapsed_s()
        self._read_stop()
        how = watch.request.how if watch.request else None
        if how not in ("step", "kill"):
            if limit_s is not None and now_s >= limit_s:
                watch.by_deadline = True
                how = self._write_stop(UNUSED if ahead else DEADLINE)
            elif watch.terminated:
                how = self._write_stop(TERMINATED)
        if how == "step" and watch.asked_s is None:
            watch.asked_s = now_s
            self._send_term()
        if watch.asked_s is not None:
            from_s = watch.asked_s if limit_s is None else min(watch.asked_s, limit_s)
            watch.killed = now_s >= from_s + self.task.grace_s
        if how == "kill":
            watch.killed = True

    def _look_at_log(self) -> None:
        with suppress(OSError):  # no room for these words, as all others: the job goes on
            if (trouble := self.log.trim()) and self.code is None:
                self.watch.killed = True  # by asking it would get time to print more
                self.events.error(trouble, next="print less, or make room")
                self.directory.request_stop(StopRequest("kill", "end", "log", trouble))
            if said := self.log.said():
                self.events.write("note", text=said)

    def _read_go(self) -> Go | None:
        now_s = boottime_s()
        try:
            go = self.directory.read_go()
        except ValueError:  # nothing that a scheduler of ours has written
            return NO_DEVICES
        if go is None:
            self.looked_s = now_s
        return go

    def _give_up(self) -> Go:
        try:
            return self.directory.give(NO_DEVICES)
        except ValueError:
            return NO_DEVICES

    def _begin(self, go: Go) -> None:
        """It has its devices, or never will: then it is killed."""
        if go.void:
            self.watch.killed = True
            return
        # On the clock that does not jump: not longer ago than it was looked for.
        since_s = max(0.0, time.time_ns() / 10**9 - go.at_ms / 1000)
        self.start_s = max(boottime_s() - since_s, self.looked_s)
        self.started_ms = go.at_ms
        self.task = self.task.given(go.devices, go.limit_s, go.grace_s)
        self.watch.asked_s = None  # that was on the time before: whoever asked is heard again

    def _read_stop(self) -> None:
        try:
            status = self.directory.stop.stat()
        except FileNotFoundError:
            return
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp == self.watch.stamp:
            return
        self.watch.stamp = stamp
        try:
            self.watch.request = self.directory.read_stop()
        except (ValueError, TypeError):
            # Somebody wants it to stop, whatever it was that they wrote.
            self.watch.request = StopRequest("step", "requeue", "unreadable")

    def _write_stop(self, request: StopRequest) -> StopHow:
        """Ask the worker by file, keeping what an earlier, milder request decided."""
        earlier = self.watch.request
        if earlier is not None and earlier.then == "end":
            request = replace(earlier, how="step")
        self.directory.request_stop(request)
        self.watch.request = request
        return request.how

    def _send_term(self) -> None:
        if self.task.argv:  # to all that the shell of a `run:` line started
            send_group(self.worker, signal.SIGTERM)
        elif self.code is None:
            send(self.worker, signal.SIGTERM)

    def _lingers(self) -> bool:
        """Whether a stopped program's shell ended before what it runs, which may still save."""
        watch = self.watch
        if not self.task.argv or watch.asked_s is None or watch.killed:
            return False
        return any(in_group(pid, self.worker) for pid in descendants(os.getpid()))

    def _reap(self) -> bool:
        """Collect ended children, adopted ones too; False when no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.worker:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else SIGNALLED - code

    def _kill_tree(self) -> None:
        """Kill until no child is left. Orphans become our children, so then nobody is left."""
        pause_s = 0.001
        while self._reap():
            for pid in descendants(os.getpid()):
                send(pid, signal.SIGKILL)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_S)

    def _explain(self, code: int) -> None:
        """Say why it failed, unless the worker has."""
        if b'"kind":"error"' in self.directory.events.read_bytes():
            return
        who = "the program" if self.task.argv else "the worker"
        if code > SIGNALLED:
            name = signal.Signals(code - SIGNALLED).name
            hint = "look whether the machine ran out of memory" if name == "SIGKILL" else None
            self.events.error(f"{who} was ended by {name}", next=hint)
        else:
            full = is_tight(self.directory.path)
            self.events.error(
                f"{who} ended with code {code}",
                got=last_line(self.directory.log),
                next="make room: the disk is full, for its work and for its words"
                if full
                else None,
            )

    def _elapsed_s(self) -> float:
        return boottime_s() - self.start_s

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self.watch.terminated = True

    def _drain(self) -> None:
        try:
            while os.read(self.wakeup, 512):
                pass
        except BlockingIOError:
            return


def is_tight(folder: Path) -> bool:
    """Whether the disk of `folder` is as good as full."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < TIGHT_BYTES


def _close_inherited() -> None:
    """What whoever started this has left open is not for the worker."""
    for number in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if number > 2:
            with suppress(OSError):  # that of this listing is closed already
                os.set_inheritable(number, False)


if __name__ == "__main__":
    _close_inherited()
    sys.exit(main(sys.argv[1:]))
