"""How fast jobs that do nothing come and go, beside other queues on one machine.

    python benchmarks/throughput.py [--quick] [--jobs N ...] [--repeats R]

1. A run of N jobs `run: /bin/true`, for each N: jobs per second from the submission to the end of
   the run as the store has them, processor time of the scheduler and of everything by job. Each job
   has a shim, an exit record and its events on disk, as any other.
2. The same 100 programs in task-spooler, GNU parallel, snakemake and huey, in turn with ours. They
   keep less of each: the last column says what. A peer that is not here says how to get it.
3. Two latencies: from a submission to the first line of the program, and from a cancel to the
   death of the last process of a tree that ignores TERM, beyond the grace that it was given. Both
   from the moment the request is in the inbox, and from Enter: the command's own start is in that.

All of it on two cores, in two to three minutes; `--quick` leaves the largest run out.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.short_jobs.latencies import latencies  # noqa: E402
from benchmarks.short_jobs.living import scheduler, until  # noqa: E402
from benchmarks.short_jobs.peers import CORES, PEERS, Peer  # noqa: E402
from orchestrator.commands import SubmitRun  # noqa: E402
from orchestrator.graph import Graph, Job  # noqa: E402
from orchestrator.home import Home  # noqa: E402
from orchestrator.store.store import Store  # noqa: E402

SIZES = (100, 1_000)
LARGEST = 10_000
PEER_JOBS = 100
WARMING = 10
"""Jobs before those that count: what a scheduler reads and imports once is no cost of a job."""

RATE_BAR = 60.0
"""Jobs per second."""
FLAT_BAR = 0.8
"""The rate of the largest run by that of the smallest."""
SCHEDULER_BAR_MS = 5.0
"""Processor time of the scheduler by job."""


@dataclass(frozen=True)
class Ran:
    """One run of many jobs."""

    jobs: int
    wall_s: float
    scheduler_ms: float
    """Processor time of the scheduler by job."""
    total_ms: float
    """The same with shims and programs."""

    @property
    def rate(self) -> float:
        return self.jobs / self.wall_s


def graph_of(run: str, jobs: int) -> Graph:
    """Jobs that need nothing of each other; no result of another run stands for one of them."""
    many = [
        Job(f"j{n}", argv=("/bin/true", str(n)), group=f"j{n}", static_key=f"{run} {n}")
        for n in range(jobs)
    ]
    return Graph("many", None, "/", tuple(many))


def ours(home: Home, process: psutil.Process, run: str, jobs: int) -> Ran:
    before = cpu_s(process)
    with Store(home.store) as store:
        request = SubmitRun(run=run, graph=graph_of(run, jobs).to_json())
        store.ask(request, time.time_ns() // 1_000_000)
        database = sqlite3.connect(home.store)
        query = "SELECT at_ms FROM event WHERE run=? AND kind=?"

        def at_ms(kind: str) -> int | None:
            row = database.execute(query, (run, kind)).fetchone()
            return row[0] if row else None

        until(lambda: at_ms("RunEnded") is not None, poll_s=0.1)
        begun_ms, ended_ms = at_ms("RunSubmitted"), at_ms("RunEnded")
        count = "SELECT count(*) FROM event WHERE run=? AND kind='JobEnded' AND data LIKE ?"
        (done,) = database.execute(count, (run, '%"outcome":"done"%')).fetchone()
        database.close()
    if done != jobs or begun_ms is None or ended_ms is None:
        sys.exit(f"{done} of {jobs} jobs are done: see {home.log}")
    spent = [b - a for a, b in zip(before, cpu_s(process), strict=True)]
    wall_s = (ended_ms - begun_ms) / 1000
    return Ran(jobs, wall_s, spent[0] * 1000 / jobs, sum(spent) * 1000 / jobs)


def cpu_s(process: psutil.Process) -> tuple[float, float]:
    """Processor time of the scheduler, and of all that it has started."""
    own = process.cpu_times()
    below = [child.cpu_times() for child in process.children()]
    rest = sum(t.user + t.system + t.children_user + t.children_system for t in below)
    return own.user + own.system, rest + own.children_user + own.children_system


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Wall time and processor time of the children that have ended, in seconds."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, cpu


def beside_peers(folder: Path, repeats: int) -> None:
    here = [peer for peer in PEERS if peer.found()]
    mine: list[Ran] = []
    theirs: dict[str, list[tuple[float, float]]] = {peer.name: [] for peer in here}
    with scheduler(folder / "peers") as (home, process):
        for turn in range(repeats):
            mine.append(ours(home, process, f"many-{turn}", PEER_JOBS))
            for peer in here:
                place = folder / f"{peer.name}-{turn}"
                place.mkdir()

                def work(peer: Peer = peer, place: Path = place) -> None:
                    peer.run(place, PEER_JOBS)

                theirs[peer.name].append(timed(work))
    rate = statistics.median(one.rate for one in mine)
    total_ms = statistics.median(one.total_ms for one in mine)
    print(f"{PEER_JOBS} jobs in turn, medians of {repeats}")
    print(f"{'':<16}{'jobs/s':>8}{'CPU ms a job':>14}   by job, on disk")
    print(f"{'skint':<16}{rate:>8.0f}{total_ms:>14.1f}   events, exit record, log; flushed")
    for peer in PEERS:
        if peer not in here:
            print(f"{peer.name:<16}{'–':>8}{'–':>14}   not here: {peer.get}")
            continue
        walls, cpus = zip(*theirs[peer.name], strict=True)
        # The server of task-spooler is no child of ours: what it and its programs take is unseen.
        cpu = f"{statistics.median(cpus) * 1000 / PEER_JOBS:.1f}"
        if peer.name == "task-spooler":
            cpu = "–"
        print(
            f"{peer.name:<16}{PEER_JOBS / statistics.median(walls):>8.0f}{cpu:>14}   {peer.keeps}"
        )


def verdict(over: bool) -> str:
    return "over" if over else "ok"


def curve(folder: Path, sizes: list[int]) -> int:
    over, rates = 0, []
    print(f"{'jobs':>8}{'jobs/s':>9}{'bar':>5}{'scheduler ms':>14}{'bar':>5}{'CPU ms in all':>15}")
    for size in sizes:
        with scheduler(folder / f"curve-{size}") as (home, process):
            ours(home, process, "warm", WARMING)
            ran = ours(home, process, "many", size)
        slow, dear = ran.rate < RATE_BAR, ran.scheduler_ms > SCHEDULER_BAR_MS
        over += slow + dear
        rates.append(ran.rate)
        print(
            f"{size:>8,}{ran.rate:>9.0f}{RATE_BAR:>5.0f}{ran.scheduler_ms:>14.1f}"
            f"{SCHEDULER_BAR_MS:>5.0f}{ran.total_ms:>15.1f}   {verdict(slow or dear)}",
            flush=True,
        )
    if len(sizes) > 1:
        flat = rates[-1] / rates[0]
        over += flat < FLAT_BAR
        print(f"rate of the largest by the smallest: {flat:.2f}, bar {FLAT_BAR}")
    return over


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"without {LARGEST:,} jobs")
    parser.add_argument("--jobs", type=int, nargs="+", help="other sizes of runs")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    sizes = options.jobs or [*SIZES, *([] if options.quick else [LARGEST])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        over = curve(folder, sizes)
        print()
        beside_peers(folder, options.repeats)
        print()
        over += latencies(folder, options.repeats)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
