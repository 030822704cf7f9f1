"""A storm: many notices of many runs, a Slack that fails in every way, a sender that is killed.

Real processes and the real slack_sdk; only the clock runs faster. What was drawn depends on the
seed alone; what happens in which order depends on the machine as well.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from notifiers.base import Notice, Picture, Topic
from notifiers.slack.lookup import mark
from orchestrator.words.outbox import PERHAPS_REPEATED, put, undelivered, waiting
from tests.orchestrator.words.outboxes import empty_outbox
from tests.orchestrator.words.storm_clock import StormClock
from tests.stand_ins.slack import CHANNEL, Failure, SlackStandIn

ROOT = Path(__file__).parents[3]
DAY_H = 24
LONGEST_S = 120.0
"""Of the machine's: only turns a hang into a failure."""
FAILURES = (
    Failure("ratelimited", 429, "1"),
    Failure("ratelimited", 429, "0.5"),
    Failure("ratelimited", 429, "4"),
    Failure(status=500),
    Failure(status=503, taken=True),
    Failure("fatal_error", taken=True),
    Failure("internal_error"),
    Failure(hang_up=True),
    Failure(hang_up=True, taken=True),
)
TIME_OUT = Failure(hang_s=1.4, taken=True)
METHODS = (
    "chat.postMessage",
    "chat.postMessage",
    "chat.update",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "conversations.replies",
    "conversations.history",
)


@dataclass(frozen=True)
class Weather:
    seed: int
    runs: int = 20
    notices: int = 1000
    failures: int = 100
    time_outs: int = 2
    kills: int = 6
    dead_day: bool = True
    mutant: str = ""


@dataclass
class Storm:
    weather: Weather
    folder: Path
    dice: random.Random = field(init=False)
    said: list[Notice] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.weather.seed)
        self.clock = StormClock.create(self.folder / "clock")
        self.store = empty_outbox(self.folder)
        self.picture = self.folder / "grid.png"
        Image.new("RGB", (8, 8)).save(self.picture)
        self.slack = SlackStandIn(now=lambda: self.clock.now_ms() / 1000)
        self.slack.watch = self._perhaps_kill
        self._to_kill = threading.Lock()
        self._calls = 0
        self._kill_at: list[tuple[int, str]] = []
        self._sender: subprocess.Popen[bytes] | None = None

    def rage(self) -> list[str]:
        """Say everything, through everything; what then is wrong with what a reader sees."""
        batches = [*self._batches()]
        failing = sorted(self.dice.choices(range(len(batches)), k=self.weather.failures))
        late = set(self.dice.sample(range(len(batches)), self.weather.time_outs))
        with self.slack, closing(sqlite3.connect(self.store, timeout=300)) as connection:
            try:
                for number, batch in enumerate(batches):
                    self._kills_of(number, len(batches))
                    for _ in range(failing.count(number)):
                        self.slack.fail(self.dice.choice(METHODS), self.dice.choice(FAILURES))
                    if number in late:
                        self.slack.fail("chat.postMessage", TIME_OUT)
                    self._say(connection, batch)
                    if self.weather.dead_day and number == len(batches) // 2:
                        self._dead_day()
                    self._tend(0.05)
                until = time.monotonic() + LONGEST_S
                while waiting(connection) and time.monotonic() < until:
                    self._tend(0.05)
            finally:
                if self._sender is not None:
                    self._sender.kill()
                    self._sender.communicate()
            return [*self._complaints(connection)]

    # --- what is said -----------------------------------------------------------------------------

    def _batches(self) -> Iterator[list[Notice]]:
        """A run begins with a head and ends with its last head and an alert; between them are
        heads, replies and alerts."""
        weather, runs = self.weather, [f"run-{n}" for n in range(self.weather.runs)]
        told = [Notice(run, "head", f"{run}/begun", "begun") for run in runs]
        told += [self._notice(self.dice.choice(runs), n) for n in range(weather.notices)]
        size = max(5, weather.notices // 50)
        for start in range(0, len(told), size):
            yield told[start : start + size]
        for run in runs:
            end = Notice(run, "head", f"{run}/end", "done", final=True)
            yield [end, replace(end, topic="alert", key=f"{run}/end!", final=False)]

    def _notice(self, run: str, number: int) -> Notice:
        drawn = self.dice.random()
        topic: Topic = "head" if drawn < 0.8 else "reply" if drawn < 0.96 else "alert"
        one = Notice(run, topic, f"{run}/{number}", f"{topic} {number}", at_ms=number)
        if topic != "head" and self.dice.random() < 0.2:
            one = replace(one, pictures=(Picture(str(self.picture), "grid", "a grid"),))
        return one

    def _say(self, connection: sqlite3.Connection, batch: list[Notice]) -> None:
        with connection:
            for notice in batch:
                put(connection, f"slack:{CHANNEL}", notice)
        self.said += batch

    # --- what goes wrong --------------------------------------------------------------------------

    def _kills_of(self, number: int, batches: int) -> None:
        """Spread over the storm: a few calls from now, as one arrives, before it is answered, or
        between two."""
        wanted = self.weather.kills * (number + 1) // batches
        planned = self.deaths + len(self._kill_at)
        if wanted > planned:
            moment = self.dice.choice(("arrived", "done", "between"))
            with self._to_kill:
                self._kill_at.append((self._calls + self.dice.randrange(1, 6), moment))

    def _perhaps_kill(self, method: str, moment: str) -> None:
        with self._to_kill:
            self._calls += moment == "arrived"
        self._kill_if_due(moment)

    def _kill_if_due(self, moment: str) -> None:
        with self._to_kill:
            due = [at for at in self._kill_at if at[0] <= self._calls and at[1] == moment]
            if due and self._sender is not None and self._sender.poll() is None:
                self._kill_at.remove(due[0])
                os.kill(self._sender.pid, signal.SIGKILL)
                self._sender.wait()
                self.deaths += 1

    def _dead_day(self) -> None:
        self.slack.outage = Failure(hang_up=True)
        for _ in range(DAY_H):
            tries, until = len(self.slack.calls), time.monotonic() + LONGEST_S
            self.clock.jump(3600)
            while len(self.slack.calls) == tries and time.monotonic() < until:
                self._tend(0.005)
        self.slack.outage = None

    def _tend(self, seconds: float) -> None:
        """Let the machine's time pass; a sender that was killed is started again."""
        self._kill_if_due("between")
        if self._sender is None or self._sender.poll() is not None:
            with self._to_kill:
                self._sender = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "tests.orchestrator.words.storm_sender"),
                        *(str(self.store), self.slack.url, str(self.folder / "clock")),
                        self.weather.mutant,
                    ],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                )
        time.sleep(seconds)

    # --- what a reader sees -----------------------------------------------------------------------

    def _complaints(self, connection: sqlite3.Connection) -> Iterator[str]:
        if left := waiting(connection):
            yield f"{left} notices still wait"
        for lost in undelivered(connection):
            yield f"given up: {lost}"
        if self.deaths < self.weather.kills:
            yield f"the sender was killed {self.deaths} times, not {self.weather.kills}"
        messages = self.slack.messages
        for message in messages:
            if PERHAPS_REPEATED in message.text:
                yield f"said to be perhaps a repeat: {message.text!r}"
        shared = Counter(file.name for message in messages for file in message.files)
        for notice in self.said:
            count = sum(shared[name] for name in shared if mark(notice) in name)
            if count != len(notice.pictures):
                yield f"{notice.key}: {count} pictures, not {len(notice.pictures)}"
        heads = self.slack.heads()
        for run in dict.fromkeys(notice.run for notice in self.said):
            own = [head for head in heads if head.text.startswith(f"{run} ")]
            if len(own) != 1:
                yield f"{run} has {len(own)} heads: {[head.text for head in own]}"
                continue
            if own[0].text != f"{run} · done":
                yield f"the head of {run} says {own[0].text!r}"
            texts = [reply.text.partition("\n")[0] for reply in self.slack.thread(own[0])]
            got = [text for text in texts if text]
            wanted = [
                n.headline if n.topic == "alert" else n.title
                for n in self.said
                if n.run == run and n.topic != "head"
            ]
            if got != wanted:
                yield f"the thread of {run}: {got}, not {wanted}"
        if strays := [head.text for head in heads if not head.text.startswith("run-")]:
            yield f"outside of any thread: {strays}"
