"""Appending to `events.jsonl`: what a job says while it runs.

Any process of an attempt may write, at any time. A line is appended in one write under a lock on
the file, so lines are whole and in order whoever writes them. Its `seq` is the byte offset at which
it stands: unique, growing, and nothing has to be kept to know the next one.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skint.attempt import AttemptDir, Task
from skint.errors import SkintError


class ReportError(SkintError):
    """A value was reported that is no number, text, true, false or None."""


@dataclass(frozen=True)
class EventWriter:
    """Writes lines of one attempt. Holds no open file, so a fork may use it too."""

    directory: AttemptDir
    attempt: str
    fence: int
    silent: bool = False
    """Writes nothing: another process speaks for this one."""

    @classmethod
    def of(cls, directory: AttemptDir, task: Task) -> EventWriter:
        return cls(directory, task.attempt, task.fence)

    def write(self, kind: str, **fields: Any) -> None:
        """Append one line; `at` is Unix time in milliseconds. Raises OSError, e.g. disk full."""
        self._append(kind, fields, first=False)

    def _append(self, kind: str, fields: Mapping[str, Any], *, first: bool) -> None:
        """With `first`, nothing where a line of that kind is there already."""
        if self.silent:
            return
        head = {"attempt": self.attempt, "fence": self.fence}
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.directory.events, flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if first and self._has(kind):
                return
            size = os.fstat(descriptor).st_size
            # A writer that was killed, or a full disk, may have left half a line: end it.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = {**head, "seq": size + torn, "at": time.time_ns() // 10**6, "kind": kind}
            text = json.dumps({**line, **fields}, allow_nan=False, separators=(",", ":"))
            os.write(descriptor, b"\n" * torn + text.encode() + b"\n")
        finally:
            os.close(descriptor)

    def report(self, values: Mapping[str, Any]) -> None:
        """Raises ReportError when a value is no scalar."""
        self.write("report", values={name: scalar(name, value) for name, value in values.items()})

    def error(
        self,
        what: str,
        *,
        where: str | None = None,
        got: str | None = None,
        wanted: str | None = None,
        next: str | None = None,
        trace: bool = False,
    ) -> None:
        """Say what went wrong, in the parts of a SkintError; `trace` when the log has more.

        Nothing where somebody has said it already: of several processes of a training the one that
        fails first knows why, and the others fail because of it.
        """
        parts = {"what": what, "where": where, "got": got, "wanted": wanted, "next": next}
        self._append("error", {**parts, "trace": trace}, first=True)

    def has_error(self) -> bool:
        """Whether somebody has said already what went wrong."""
        return self._has("error")

    def _has(self, kind: str) -> bool:
        try:
            return f'"kind":"{kind}"'.encode() in self.directory.events.read_bytes()
        except FileNotFoundError:
            return False


def scalar(name: str, value: Any) -> str | int | float | bool | None:
    """A value as strict JSON can hold it; scalars of NumPy and torch become Python's.

    Numbers that are not finite become "nan", "inf" or "-inf". Raises ReportError otherwise.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if not isinstance(value, float):
        try:
            return scalar(name, value.item())
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise ReportError(
                f"{name} cannot be reported",
                got=f"a value of type {type(value).__name__}",
                wanted="a number, a text, true, false or None",
            ) from error
    if math.isfinite(value):
        return float(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
