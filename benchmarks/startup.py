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

from orchestrator.events import RunSubmitted
from orchestrator.graph import Graph, Job
from orchestrator.home import Home
from orchestrator.state import AttemptState, JobState, RunState, State
from orchestrator.store import Store

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "examples" / "photos" / "plan.yaml"
SKINT = str(Path(sys.executable).parent / "skint")

COMMANDS: tuple[tuple[str, list[str], int | None], ...] = (
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("skint --help", [SKINT, "--help"], 200),
    ("skint status", [SKINT, "status"], 200),
    ("skint budget", [SKINT, "budget"], 200),
    ("skint ledger list", [SKINT, "ledger", "list"], 200),
    ("skint plan", [SKINT, "plan", str(PLAN)], 400),
)
"""What it is called, the command, and its bar in milliseconds of CPU time."""
ENDED_RUNS = 1000
AFTER_RUNS = (f"skint status, {ENDED_RUNS} runs", [SKINT, "status"], 200)
"""The same beside the store of somebody who has used it for long."""
FOLDS, EPOCHS = 5, 30


def fill(home: Home) -> None:
    """Runs that ended, each with folds that reported every epoch."""
    jobs = tuple(
        Job(f"train.fold{n}", "train", fold=n, folds=FOLDS, static_key=str(n)) for n in range(FOLDS)
    )
    graph = Graph("old", None, "/plans", jobs)
    runs = [_ended(f"old-{number}", number, graph) for number in range(1, ENDED_RUNS + 1)]
    events = [
        RunSubmitted(at_ms=run.submitted_ms, run=run.name, graph=graph.to_json()) for run in runs
    ]
    with Store(home.store) as store:
        store.keep(events, State({run.name: run for run in runs}))


def _ended(name: str, number: int, graph: Graph) -> RunState:
    reports = tuple(
        {"epoch": n, "epochs": EPOCHS, "val_acc": n / 100, "at_ms": number + n}
        for n in range(1, EPOCHS)
    )
    attempts = [
        AttemptState(
            f"{name}.{job.id}.1", job.id, 1, "", "/runs", "local", 1, 0,
            status="ended", outcome="done", started_ms=number, ended_ms=number, reports=reports,
        )
        for job in graph.jobs
    ]  # fmt: skip
    return RunState(
        name,
        graph,
        submitted_ms=number,
        jobs={a.job: JobState(a.job, "done", attempts=(a.id,), result_of=a.id) for a in attempts},
        attempts={a.id: a for a in attempts},
        outcome="done",
        ended_ms=number,
    )


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
        print(f"{'command':<26}{'CPU ms':>8}{'bar':>6}   median of {repeats}")
        for name, argv, bar_ms in (*COMMANDS, AFTER_RUNS):
            if name == AFTER_RUNS[0]:
                fill(Home(Path(home)))
            cpu_ms(argv, environment)
            median_ms = statistics.median(cpu_ms(argv, environment) for _ in range(repeats))
            if bar_ms is None:
                verdict = ""
            elif median_ms <= bar_ms:
                verdict = "ok"
            else:
                verdict = "over"
                over += 1
            print(f"{name:<26}{median_ms:>8.0f}{bar_ms or '–':>6}   {verdict}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
