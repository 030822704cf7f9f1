"""The process that measures, as seen from the job: it may die of what it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from jobs.probe.requests import Request
from skint.errors import SkintError


class ProbeError(SkintError):
    """What was to be measured cannot be run at all."""


class Measurer:
    """One process after another: the next is started when one has died.

    The first is started and prepared before the devices are there.
    """

    def __init__(self, attempt: Path) -> None:
        self._attempt = attempt
        self._process: subprocess.Popen[str] | None = self._started()

    def _started(self) -> subprocess.Popen[str]:
        # -P: a module beside the plan must not stand before an installed one.
        command = [sys.executable, "-P", "-m", "jobs.probe.child", str(self._attempt)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def prepare(self, recipe: dict[str, Any]) -> None:
        """Wait until it has imported all and has built the recipe's network once, without a device.

        Raises ProbeError where it cannot.
        """
        if self.ask(Request("prepare", (), recipe, batch=0)) is None:
            raise ProbeError(
                "the process that measures has ended before it measured anything",
                next="look at the job's log; it may have run out of memory",
            )

    def ask(self, request: Request) -> dict[str, Any] | None:
        """The answer; None where memory did not suffice, by an error of torch's or by a kill.

        Raises ProbeError with what went wrong otherwise.
        """
        if self._process is None:
            self._process = self._started()
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None and answering is not None
        try:
            asking.write(request.line())
            asking.flush()
            line = answering.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.close()
            return None
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ProbeError("this recipe cannot be measured", got=answer["error"])
        return None if answer.get("out_of_memory") else answer

    def close(self) -> None:
        """End it and wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
