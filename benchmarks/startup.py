"""CPU time of the commands that a person waits for, beside a bare Python.

    python benchmarks/startup.py [REPEATS]

CPU seconds (user + system) of the process and of what it waited for, not wall time: a busy
machine changes the latter. The median of some repeats, after one that fills the byte-code cache.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.events.events import Event, JobWaited, RunSubmitted
from orchestrator.graph import Graph, Job
from orchestrator.home import Home
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.job_state import JobState
from orchestrator.state.projection import apply_all
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "examples" / "photos" / "plan.yaml"
SKINT = str(Path(sys.executable).parent / "skint")

PEERS = ("dvc", "snakemake", "prefect")
"""What `PEER --help` takes, for comparison; left out with a word where it is not installed."""
NOTHING = 'name: nothing\njobs:\n  nothing: {run: "true"}\n'
TRAININGS = """
name: trainings
account: demo
jobs:
  train: {run: "true {rate}", matrix: {rate: [1, 2, 3, 4, 5]}, devices: 1, limit: 1m}
"""
"""Judged by what the account has left, by history and by baselines."""
ENDED_RUNS = 1000
QUEUED_JOBS = 10_000
FOLDS, EPOCHS = 5, 30

Command = tuple[str, list[str], int | None]
"""What it is called, the command, and its bar in milliseconds of CPU time."""


def peers() -> list[Command]:
    found: list[Command] = [("python -c pass", [sys.executable, "-c", "pass"], None)]
    for name in PEERS:
        beside = Path(sys.executable).parent / name
        peer = str(beside) if beside.exists() else shutil.which(name)
        if peer is None:
            print(f"({name} is not installed here: left out)")
        else:
            found.append((f"{name} --help", [peer, "--help"], None))
    return found


def new_home() -> list[Command]:
    return [
        ("skint --help", [SKINT, "--help"], 200),
        ("skint status", [SKINT, "status"], 200),
        ("skint budget", [SKINT, "budget"], 200),
        ("skint ledger list", [SKINT, "ledger", "list"], 200),
        ("skint plan", [SKINT, "plan", str(PLAN)], 400),
    ]


def after_runs(folder: Path) -> list[Command]:
    """Beside the store of somebody who has used it for long."""
    plan, trainings = folder / "plan.yaml", folder / "trainings.yaml"
    plan.write_text(NOTHING)
    trainings.write_text(TRAININGS)
    submit = f"{SKINT} submit {plan} --again --no-input"
    return [
        ("  status", [SKINT, "status"], 200),
        ("  budget", [SKINT, "budget"], 200),
        ("  queue", [SKINT, "queue"], 200),
        ("  submit", submit.split(), 200),
        ("  submit five trainings", [*submit.split()[:2], str(trainings), "--again"], 200),
        ("  submit an edited plan", ["sh", "-c", f'echo "# $$" >> {plan}; exec {submit}'], None),
    ]


def with_queue() -> list[Command]:
    return [("  queue", [SKINT, "queue"], 300)]


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


def fill_queue(home: Home) -> None:
    """A run of many short jobs that wait for cores."""
    jobs = tuple(
        Job(f"j{n}", f"j{n}", argv=("/bin/true", str(n)), static_key=str(n))
        for n in range(QUEUED_JOBS)
    )
    graph = Graph("many", None, "/plans", jobs)
    waits = "waits for 1 of 2 cores"
    events: list[Event] = [RunSubmitted(at_ms=1, run="many-1", graph=graph.to_json())]
    events += [
        JobWaited(at_ms=2, run="many-1", job=job.id, reason="cores", sentence=waits) for job in jobs
    ]
    with Store(home.store) as store:
        store.keep(events, apply_all(State(), events))


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
    commands = peers()
    print(f"{'command':<26}{'CPU ms':>8}{'bar':>6}   median of {repeats}")
    over = measured(commands, os.environ, repeats)
    with tempfile.TemporaryDirectory() as folder:
        for name, fills, commands in (
            ("empty", lambda home: None, new_home()),
            (f"{ENDED_RUNS:,} runs", fill, after_runs(Path(folder))),
            (f"{QUEUED_JOBS:,} jobs", fill_queue, with_queue()),
        ):
            home = Home(Path(folder) / name.replace(" ", "-"))
            environment = {**os.environ, "SKINT_HOME": str(home.path)}
            cpu_ms([SKINT, "account", "add", "demo", "--preset", "simulated"], environment)
            fills(home)
            if name != "empty":
                print(f"with {name} in the store:")
            over += measured(commands, environment, repeats)
            if home.scheduler_pid() is not None:
                cpu_ms([SKINT, "scheduler", "stop"], environment)
    return 1 if over else 0


def measured(commands: Sequence[Command], environment: Mapping[str, str], repeats: int) -> int:
    """Print the medians; how many are over their bar."""
    over = 0
    for name, argv, bar_ms in commands:
        cpu_ms(argv, environment)
        median_ms = statistics.median(cpu_ms(argv, environment) for _ in range(repeats))
        verdict = ""
        if bar_ms is not None:
            verdict = "ok" if median_ms <= bar_ms else "over"
            over += median_ms > bar_ms
        print(f"{name:<26}{median_ms:>8.0f}{bar_ms or '–':>6}   {verdict}", flush=True)
    return over


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
