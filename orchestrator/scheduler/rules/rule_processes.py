"""Stop rules of a user's own run in processes of their own: nobody waits for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO, Any

from orchestrator.scheduler.inputs import AskRule, RuleSaid
from skint.visibility import visibility

ANSWER_S = 30.0
"""A rule that has not answered by then is ended and counts as failed."""
MOST = 2
"""That many run at a time; of the same rule about the same job the newest question waits."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH")
"""Variables that a rule gets: it judges numbers, and needs nobody's tokens."""
KEPT_BEGINNINGS = ("LC_", "PYTHON")
LARGEST = 1 << 20
"""Bytes of an answer that are read."""

_Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]
    until_s: float


class RuleProcesses:
    """`ask` begins, `answers` collects; neither waits."""

    def __init__(self, environ: Mapping[str, str], *, answer_s: float = ANSWER_S) -> None:
        kept = {
            name: value
            for name, value in environ.items()
            if name in KEPT or name.startswith(KEPT_BEGINNINGS)
        }
        self._environ = {**kept, **visibility((), kept)}  # it runs on the CPU, beside trainings
        self._answer_s = answer_s
        self._running: dict[_Key, _Running] = {}
        self._waiting: dict[_Key, AskRule] = {}
        self._failed: list[RuleSaid] = []

    def ask(self, question: AskRule) -> None:
        self._waiting[question.run, question.job, question.rule] = question
        self._begin()

    def answers(self) -> tuple[RuleSaid, ...]:
        """Of those that have answered, failed or taken too long since the last time."""
        found, self._failed = self._failed, []
        for key, running in list(self._running.items()):
            if running.process.poll() is None and time.monotonic() < running.until_s:
                continue
            del self._running[key]
            found.append(self._answer(key, running))
        self._begin()
        return tuple(found)

    def close(self) -> None:
        """End what runs."""
        for running in self._running.values():
            with running.out, running.err:
                _end(running)
        self._running.clear()
        self._waiting.clear()

    def _begin(self) -> None:
        for key in [*self._waiting]:
            if key in self._running or len(self._running) >= MOST:
                continue
            question = self._waiting.pop(key)
            try:
                self._running[key] = self._start(question)
            except OSError as error:
                self._failed.append(RuleSaid(*key, error=f"it cannot be started: {error}"))

    def _start(self, question: AskRule) -> _Running:
        command = [question.python or sys.executable, "-P", "-m", "skint.rule"]
        command += [question.rule, "--base", question.base]
        with ExitStack() as opened:
            out, err, given = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given.write(question.given.encode())  # a pipe would have to be fed
            given.seek(0)
            process = subprocess.Popen(
                command,
                cwd=question.base,
                env=self._environ,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            opened.pop_all()  # they are closed with its answer
        given.close()
        return _Running(process, out, err, time.monotonic() + self._answer_s)

    def _answer(self, key: _Key, running: _Running) -> RuleSaid:
        late = running.process.poll() is None
        _end(running)
        with running.out, running.err:
            if late:
                return RuleSaid(*key, error=f"it did not answer within {self._answer_s:g} s")
            running.out.seek(0)
            running.err.seek(0)
            answer = _read(running.out.read(LARGEST))
            last = running.err.read(LARGEST).decode(errors="replace").strip().splitlines()
        if answer is None:  # or it prints something else, with the skint of another Python
            why = f": {last[-1]}" if last else ""
            code = running.process.returncode
            return RuleSaid(*key, error=f"its process ended with code {code} without answer{why}")
        if "error" in answer:
            said = answer["error"]
            parts = [str(said[name]) for name in ("where", "what", "got") if said.get(name)]
            return RuleSaid(*key, error=": ".join(parts))
        return RuleSaid(*key, answer["action"], answer["scope"], answer["sentence"])


def _end(running: _Running) -> None:
    """With whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()


def _read(out: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(out)
    except ValueError:
        return None
    wanted = ("error",), ("action", "scope", "sentence")
    is_one = isinstance(answer, dict) and any(set(keys) <= answer.keys() for keys in wanted)
    return answer if is_one else None
