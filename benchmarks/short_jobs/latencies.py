"""How long a person, or a program, waits for one job: to its first line, to its end by a cancel."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.short_jobs.living import SKINT, scheduler, until
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.graph import Graph, Job
from orchestrator.home import Home
from orchestrator.store.store import Store
from skint.process import survivors

GRACE_S = 0.5
LATENCY_BAR_MS = 300.0

PROGRAM = ("/bin/sh", "-c", "exec date +%s%3N")
FUNCTION = """
import time
from pydantic import BaseModel
import skint

class Params(BaseModel):
    pass

@skint.job()
def say(params: Params, ctx: skint.Context) -> None:
    print(time.time_ns() // 1_000_000, flush=True)
"""
TREE = "trap '' TERM; setsid sleep 600 & (sleep 600 & wait) & echo up; wait; sleep 600"


def first_line_ms(home: Home, run: str, job: str) -> int:
    """When the program said its first line, by what it said."""
    log = home.runs / run / job / "1" / "log.txt"
    until(lambda: log.exists() and log.read_text().endswith("\n"), poll_s=0.01)
    return int(log.read_text().split()[0])


def submitted(home: Home, run: str, job: Job, base: Path) -> float:
    """From the inbox to the first line, in milliseconds."""
    graph = Graph("one", None, str(base), (job,))
    request = SubmitRun(run=run, graph=graph.to_json())
    with Store(home.store) as store:
        now_ms = time.time_ns() // 1_000_000
        store.ask(request, now_ms)
    return first_line_ms(home, run, job.id) - now_ms


def entered(home: Home, run: str, folder: Path) -> float:
    """From Enter after `skint submit` to the first line, in milliseconds."""
    plan = folder / "one.yaml"
    plan.write_text(f"name: one\njobs:\n  say:\n    run: sh -c 'date +%s%3N' {run}\n")
    now_ms = time.time_ns() // 1_000_000
    environment = {**os.environ, "SKINT_HOME": str(home.path), "SKINT_DEVICES": "simulated"}
    command = [*SKINT, "submit", str(plan), "--name", run]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return first_line_ms(home, run, "say") - now_ms


def cancelled(home: Home, run: str, *, by_command: bool) -> float:
    """From a cancel to the death of a tree that ignores TERM, without its grace, in ms."""
    job = Job("tree", argv=("/bin/sh", "-c", TREE), group="tree", static_key=run, grace_s=GRACE_S)
    with Store(home.store) as store:
        graph = Graph("tree", None, "/", (job,))
        store.ask(SubmitRun(run=run, graph=graph.to_json()), time.time_ns() // 1_000_000)
        folder = home.runs / run / "tree" / "1"
        until(lambda: (folder / "log.txt").exists() and "up" in (folder / "log.txt").read_text())
        name = f"{run}.tree.1"
        until(lambda: len(survivors(name, folder)) >= 4)
        begun = time.perf_counter()
        if by_command:
            environment = {**os.environ, "SKINT_HOME": str(home.path)}
            command = [*SKINT, "cancel", run, "--yes"]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        else:
            stop = StopJobs(run=run, scope="run", target=run)
            store.ask(stop, time.time_ns() // 1_000_000)
        until(lambda: survivors(name, folder) == ())
    return (time.perf_counter() - begun - GRACE_S) * 1000


def latencies(folder: Path, repeats: int) -> int:
    (folder / "saying.py").write_text(FUNCTION)

    def program(turn: int) -> Job:
        return Job("say", argv=PROGRAM, group="say", static_key=f"program {turn}")

    def function(turn: int) -> Job:
        return Job("say", uses="./saying.py:say", group="say", static_key=f"function {turn}")

    with scheduler(folder / "latencies") as (home, _):
        rows: tuple[tuple[str, float, Callable[[int], float]], ...] = (
            (
                "inbox → first line of a program",
                LATENCY_BAR_MS,
                lambda n: submitted(home, f"program-{n}", program(n), folder),
            ),
            (
                "inbox → first line of a function",
                LATENCY_BAR_MS,
                lambda n: submitted(home, f"function-{n}", function(n), folder),
            ),
            (
                "Enter → first line of a program",
                LATENCY_BAR_MS,
                lambda n: entered(home, f"entered-{n}", folder),
            ),
            (
                "cancel in the inbox → dead tree, without grace",
                LATENCY_BAR_MS,
                lambda n: cancelled(home, f"tree-{n}", by_command=False),
            ),
            (
                "Enter after `skint cancel` → the same",
                LATENCY_BAR_MS,
                lambda n: cancelled(home, f"cut-{n}", by_command=True),
            ),
        )
        over = 0
        print(f"{'':<50}{'ms':>6}{'bar':>6}   median of {repeats}")
        for name, bar_ms, measure in rows:
            median_ms = statistics.median(measure(turn) for turn in range(repeats))
            late = median_ms > bar_ms
            over += late
            words = f"{bar_ms:>6.0f}   {'over' if late else 'ok'}"
            print(f"{name:<50}{median_ms:>6.0f}{words}")
    return over
