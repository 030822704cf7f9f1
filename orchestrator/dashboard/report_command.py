"""`skint report` in a process of its own: what it draws with is not imported into the dashboard."""

from __future__ import annotations

import os
import subprocess
import sys

from orchestrator.home import VARIABLE, Home

TIMEOUT_S = 300.0


def report_of(home: Home, run: str) -> tuple[str, bool]:
    """The last words of the command, and whether they are bad news."""
    command = [sys.executable, "-P", "-m", "orchestrator.cli", "report", run, "--open"]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, VARIABLE: str(home.path), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the report was not written: {error}", True
    said = (done.stdout if done.returncode == 0 else done.stderr).strip()
    return said or "the report was written", done.returncode != 0
