"""Other queues on one machine, each running `/bin/true N` for many N on two cores."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.short_jobs.living import until

CORES = 2


@dataclass(frozen=True)
class Peer:
    name: str
    found: Callable[[], bool]
    get: str
    run: Callable[[Path, int], None]
    keeps: str


def _spooler(folder: Path, jobs: int) -> None:
    environment = {**os.environ, "TS_SOCKET": str(folder / "socket"), "TMPDIR": str(folder)}
    environment["TS_MAXFINISHED"] = str(2 * jobs)

    def tsp(*words: str) -> str:
        done = subprocess.run(
            ["tsp", *words], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    tsp("-S", str(CORES))
    for number in range(jobs):
        tsp("-n", "/bin/true", str(number))
    until(lambda: tsp("-l").count(" finished ") == jobs, poll_s=0.02)
    tsp("-K")


def _parallel(folder: Path, jobs: int) -> None:
    numbers = "".join(f"{number}\n" for number in range(jobs))
    command = ["parallel", "-j", str(CORES), "--joblog", str(folder / "log"), "/bin/true", "{}"]
    subprocess.run(command, input=numbers, text=True, check=True, capture_output=True)


def _snake() -> str | None:
    """Beside our Python, which need not be on the path, or anywhere."""
    beside = Path(sys.executable).parent
    return shutil.which("snakemake", path=os.pathsep.join([str(beside), os.environ["PATH"]]))


def _snakemake(folder: Path, jobs: int) -> None:
    (folder / "Snakefile").write_text(
        f'rule all:\n    input: expand("out/{{i}}", i=range({jobs}))\n'
        'rule one:\n    output: touch("out/{i}")\n    shell: "/bin/true {wildcards.i}"\n'
    )
    command = [str(_snake()), "--cores", str(CORES), "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


HUEY = """
import subprocess
from huey import SqliteHuey
huey = SqliteHuey(filename="huey.db", fsync=True)
@huey.task()
def one(number):
    return subprocess.run(["/bin/true", str(number)]).returncode
"""


def _huey(folder: Path, jobs: int) -> None:
    (folder / "many.py").write_text(HUEY)
    consumer = [sys.executable, "-m", "huey.bin.huey_consumer", "many.huey"]
    worker = subprocess.Popen(
        [*consumer, "-w", str(CORES), "-k", "process", "-d", "0.01", "-m", "0.05"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        send = (
            f"import many; r = [many.one(n) for n in range({jobs})]; [x(blocking=True) for x in r]"
        )
        subprocess.run([sys.executable, "-c", send], cwd=folder, check=True)
    finally:
        worker.terminate()
        worker.wait()


PEERS = (
    Peer(
        "task-spooler",
        lambda: shutil.which("tsp") is not None,
        "apt install task-spooler",
        _spooler,
        "in memory only; nothing outlives its server",
    ),
    Peer(
        "GNU parallel",
        lambda: shutil.which("parallel") is not None,
        "apt install parallel",
        _parallel,
        "a line of --joblog each, not flushed",
    ),
    Peer(
        "snakemake",
        lambda: _snake() is not None,
        "pip install snakemake",
        _snakemake,
        "a file of metadata each, not flushed",
    ),
    Peer(
        "huey, SQLite",
        lambda: importlib.util.find_spec("huey") is not None,
        "pip install huey",
        _huey,
        "queue and results in SQLite, flushed",
    ),
)
