"""The command line as a person has it: a process, its two streams and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

from orchestrator.cli import main

TIMEOUT_S = 600.0
"""For a whole command; training on a busy machine takes its time."""
PATIENCE_S = 300.0
"""For what takes a second on an idle machine: the disk of a busy one may stall for a minute."""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terminal:
    """Runs `skint` in `folder` with a home of its own."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def _environment(self) -> dict[str, str]:
        home = str(self.folder / "home")
        return {**os.environ, "SKINT_HOME": home, "NO_COLOR": "1", **self.environ}

    def skint(self, *words: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "orchestrator.cli", *words],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on while the test does something else."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator.cli", *words],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@dataclass(frozen=True)
class QuickTerminal(Terminal):
    """The same words without a process for each: for commands that neither start nor meet one."""

    def skint(self, *words: str) -> Said:
        out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with ExitStack() as stack:
            nothing = stack.enter_context(open(os.devnull))
            stack.enter_context(patch.dict(os.environ, self._environment(), clear=True))
            stack.enter_context(patch.object(sys, "stdin", nothing))
            stack.enter_context(chdir(self.folder))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            code = main(words)
        return Said(code, *(said.buffer.getvalue().decode() for said in (out, err)))


def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Wait for something to come true; fails if it does not within the (generous) time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
