"""CPU time of the commands that a person waits for, beside a bare Python.

    python benchmarks/startup.py [REPEATS]

CPU seconds (user + system) of the process and of what it waited for, not wall time: a busy
machine changes the latter. The median of some repeats, after one that fills the byte-code cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "examples" / "photos" / "plan.yaml"
SKINT = str(Path(sys.executable).parent / "skint")

COMMANDS: tuple[tuple[str, list[str], int | None], ...] = (
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("skint --help", [SKINT, "--help"], 200),
    ("skint status", [SKINT, "status"], 200),
    ("skint budget", [SKINT, "budget"], 200),
    ("skint plan", [SKINT, "plan", str(PLAN)], 400),
)
"""What it is called, the command, and its bar in milliseconds of CPU time."""


def cpu_ms(argv: Sequence[str], environment: Mapping[str, str]) -> float:
    """CPU time of one run; ends the benchmark with what the command said if it fails."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(argv)} ended with {process.returncode}:\n{said.read().decode()}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def main(repeats: int) -> int:
    over = 0
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "SKINT_HOME": home}
        cpu_ms([SKINT, "account", "add", "demo", "--preset", "simulated"], environment)
        print(f"{'command':<16}{'CPU ms':>8}{'bar':>6}   median of {repeats}")
        for name, argv, bar_ms in COMMANDS:
            cpu_ms(argv, environment)
            median_ms = statistics.median(cpu_ms(argv, environment) for _ in range(repeats))
            if bar_ms is None:
                verdict = ""
            elif median_ms <= bar_ms:
                verdict = "ok"
            else:
                verdict = "over"
                over += 1
            print(f"{name:<16}{median_ms:>8.0f}{bar_ms or '–':>6}   {verdict}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
