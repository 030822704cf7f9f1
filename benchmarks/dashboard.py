"""`skint top` beside a busy store: how soon it is there, what it costs, how it answers.

    python benchmarks/dashboard.py [REPEATS]

1,000 runs, 100,000 events, 50 jobs that run; each second of the measurement they report 55 things.
Everything is measured from outside, on a real terminal of 120 x 35: from the start of the process
to the first frame with the runs on it, CPU time at one look a second, resident memory, a key press
until something is drawn. Beside it the same rows by `rich.live`, which has no keys, no scrolling
and no windows: the floor; and glances, which looks at one machine, where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.busy_store import past  # noqa: E402
from benchmarks.busy_store.filled import FOLDS_LIVE, fill  # noqa: E402
from orchestrator.events import events as e  # noqa: E402
from orchestrator.home import Home  # noqa: E402
from orchestrator.state.projection import apply_all  # noqa: E402
from orchestrator.state.state import State  # noqa: E402
from orchestrator.store.store import Store  # noqa: E402

RUNS, EVENTS, LIVE = 1_000, 100_000, 50
COLUMNS, LINES = 120, 35
WARM_S, MEASURED_S = 4.0, 12.0
KEYS = 24
FIRST_MS, CPU_SHARE, RSS_MIB, KEY_MS = 600.0, 0.08, 100.0, 100.0
"""Bars."""


@dataclass
class Terminal:
    """A program on a terminal of its own; what it draws is read all the time."""

    argv: Sequence[str]
    environment: dict[str, str]
    drawn: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Terminal:
        self._main, side = pty.openpty()
        ioctl(side, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            self.argv, stdin=side, stdout=side, stderr=side, env=self.environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(side)
        self.measured = psutil.Process(self._process.pid)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._main)

    def _read(self) -> None:
        while True:
            try:
                read = os.read(self._main, 1 << 16)
            except OSError:  # it has ended
                return
            self.drawn += read

    def until(self, words: bytes, most_s: float = 30.0) -> tuple[float, float]:
        """Seconds from its start until `words` stand in what was drawn: on the clock, and of CPU
        time."""
        while words not in self.drawn:
            if time.monotonic() - self.started_at > most_s or self._process.poll() is not None:
                sys.exit(f"{' '.join(self.argv)} draws:\n{self.drawn.decode(errors='replace')}")
            time.sleep(0.002)
        return time.monotonic() - self.started_at, self.cpu_s()

    def press(self, key: bytes) -> float:
        """Seconds until something is drawn."""
        before, at = len(self.drawn), time.monotonic()
        os.write(self._main, key)
        while len(self.drawn) == before:
            if time.monotonic() - at > 5:
                sys.exit(f"nothing is drawn after {key!r}")
            select.select([], [], [], 0.001)
        return time.monotonic() - at

    def cpu_s(self) -> float:
        times = self.measured.cpu_times()
        return times.user + times.system

    def rss_mib(self) -> float:
        return self.measured.memory_info().rss / 2**20


@contextmanager
def reporting(home: Home, state: State) -> Iterator[None]:
    """Each second every job that runs makes progress, and a tenth of them end an epoch."""
    over = threading.Event()

    def write() -> None:
        nonlocal state
        with Store(home.store) as store:
            second = 0
            while not over.wait(1.0):
                second += 1
                found = [*_second(state, second)]
                state = apply_all(state, found)
                store.keep(found, state)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _second(state: State, second: int) -> Iterator[e.Event]:
    now_ms = time.time_ns() // 1_000_000
    for number, (run, attempt) in enumerate(state.live_attempts()):
        yield e.ProgressMade(
            at_ms=now_ms, run=run.name, attempt=attempt.id, done=4 + second / 100,
            total=past.EPOCHS, told_ms=now_ms,
        )  # fmt: skip
        if (number + second) % 10 == 0:
            yield from past.fold_epoch(run.name, attempt.job, now_ms, 4 + second // 10 + 1)


@dataclass(frozen=True)
class Measured:
    first_ms: float
    first_cpu_ms: float
    share: float
    rss_mib: float
    key_ms: float | None


def measured(argv: Sequence[str], home: Home, words: bytes, repeats: int, keys: bool) -> Measured:
    environment = {**os.environ, "SKINT_HOME": str(home.path), "TERM": "xterm-256color"}
    environment |= {"COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
    seen = []
    for _ in range(repeats):
        with Terminal(argv, environment) as terminal:
            seen.append(terminal.until(words))
    first_s, first_cpu_s = (statistics.median(of) for of in zip(*seen, strict=True))
    with Terminal(argv, environment) as terminal:
        terminal.until(words)
        time.sleep(WARM_S)
        cpu_s, at = terminal.cpu_s(), time.monotonic()
        time.sleep(MEASURED_S)
        share = (terminal.cpu_s() - cpu_s) / (time.monotonic() - at)
        pressed = []
        for number in range(KEYS if keys else 0):
            time.sleep(0.13)
            pressed.append(terminal.press(b"j" if number % 2 else b"k"))
        rss_mib = terminal.rss_mib()
    return Measured(
        first_s * 1000,
        first_cpu_s * 1000,
        share,
        rss_mib,
        statistics.median(pressed) * 1000 if pressed else None,
    )


def floor(home: Home) -> None:
    """The same rows by `rich.live`, until it is killed."""
    import asyncio

    from rich.live import Live
    from rich.table import Table

    from orchestrator.dashboard.reading.reader import Reader

    async def show() -> None:
        reader = Reader(home)
        with Live(screen=True, auto_refresh=False) as live:
            while True:
                screen = await reader.look(time.time_ns() // 1_000_000)
                table = Table("job", "state", "epoch", "score")
                rows = [(view, row) for view in screen.views for row in view.rows if not row.ended]
                for view, row in rows[: LINES - 4]:
                    epoch, value = f"{row.epoch}/{row.epochs}", f"{row.value or 0:.3f}"
                    table.add_row(f"{view.name} {row.title}", row.status, epoch, value)
                live.update(table, refresh=True)
                await asyncio.sleep(1)

    asyncio.run(show())


def main(repeats: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        now_ms = time.time_ns() // 1_000_000
        state = fill(home, runs=RUNS, events=EVENTS, live_jobs=LIVE, now_ms=now_ms)
        with Store(home.store) as store:
            events = store.last_event()
        print(f"{RUNS:,} runs, {events:,} events, {LIVE // FOLDS_LIVE} runs with {LIVE} live jobs")
        top = [sys.executable, "-P", "-m", "orchestrator.cli", "top"]
        live = [sys.executable, __file__, "--floor", folder]
        programs = [("skint top", top, b"live-1"), ("rich.live", live, b"live-1")]
        if importlib.util.find_spec("glances"):
            glances = [sys.executable, "-m", "glances", "-t", "1"]
            programs.append(("glances", glances, b"MEM"))
        found: dict[str, Measured] = {}
        with reporting(home, state):
            for name, argv, words in programs:
                found[name] = measured(argv, home, words, repeats, argv is top)
    print(f"{'':<12}first frame (CPU)  CPU at 1 Hz    memory      key")
    for name, one in found.items():
        key = f"{one.key_ms:.0f} ms" if one.key_ms is not None else "–"
        frame = f"{one.first_ms:.0f} ms ({one.first_cpu_ms:.0f})"
        print(f"{name:<12}{frame:>17}{one.share:>13.1%}{one.rss_mib:>6.0f} MiB{key:>9}")
    frame = f"{FIRST_MS:.0f} ms"
    print(f"{'bar':<12}{frame:>17}{CPU_SHARE:>13.1%}{RSS_MIB:>6.0f} MiB{KEY_MS:>6.0f} ms")
    ours = found["skint top"]
    kept = (
        ours.first_ms <= FIRST_MS
        and ours.share <= CPU_SHARE
        and ours.rss_mib <= RSS_MIB
        and ours.key_ms is not None
        and ours.key_ms <= KEY_MS
    )
    print("ok" if kept else "over")
    return 0 if kept else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--floor"]:
        floor(Home(Path(sys.argv[2])))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
