"""Plain lines on a stream: what `skint run` says when nothing else is asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TextIO

from notifiers.base import Notice, NotifyError
from notifiers.catalog import refuse_unknown


class Console:
    """One line a notice. A head is printed when its title changes, not when an ETA does.

    With `run` it says nothing of other runs: somebody waits for this one at the stream's end.
    Of that run neither while its name is not certain, which an empty `run` stands for.

    Without a stream it is standard output as it is when a line is printed: a table that is redrawn
    takes its place, and knows then that it has to move down.
    """

    name = "console"

    def __init__(self, stream: TextIO | None = None, run: str | None = None) -> None:
        self._stream = stream
        self.run = run

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        refuse_unknown("console", settings, ())

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        return cls.name

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Console:
        cls.check(settings)
        return cls()

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        return {}

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        if self.run is not None and notice.run not in ("", self.run):
            return address
        shown = f"{notice.title}{' (final)' if notice.final else ''}"
        if notice.topic == "head":
            if address.get("shown") == shown:
                return address
            address = {**address, "shown": shown}
        mark = {"head": "", "reply": "", "alert": "! "}[notice.topic]
        self._print(mark + " · ".join([notice.headline, *notice.details()]))
        return address

    def _print(self, line: str) -> None:
        # A run or metric name may hold anything; a terminal must not obey it.
        visible = "".join(char if char.isprintable() else "?" for char in line)
        stream = self._stream or sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            stream.write(visible.encode(encoding, "replace").decode(encoding) + "\n")
            stream.flush()
        except (OSError, ValueError) as error:  # closed, or its reader has gone (`| head`)
            raise NotifyError(f"the console is closed ({error})", permanent=True) from error
