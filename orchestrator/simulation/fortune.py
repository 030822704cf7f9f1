"""What becomes of each job, whoever schedules it: how long it takes, how it learns, if it breaks.

Drawn from the seed and from what the job is, so that every policy meets the same fortunes, and the
same experiment asked for twice goes the same way twice.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.executors.simulated import Script, SimulatedEngine
from orchestrator.graph import Graph, Job
from orchestrator.simulation.distribution import Distribution, assumed
from skint.attempt import Task

EPOCHS = 12
"""Of a training job that does not say."""


@dataclass(frozen=True)
class Fortune:
    """Of one job. `seconds` of work in all, in `epochs` (0: it reports none)."""

    seconds: float
    epochs: int
    breaks_at: int = 0
    """The epoch in which its loss becomes NaN; 0 never. It runs on all the same."""
    crashes_at: float = 0.0
    """The share of its work after which its first attempt crashes; 0 never."""
    top: float = 0.9
    """The accuracy it comes near to."""

    @property
    def useful(self) -> bool:
        """Whether anybody wants its result."""
        return not self.breaks_at

    def values(self, epoch: int, dice: random.Random) -> Mapping[str, Any]:
        """What it reports after an epoch."""
        learnt = 1 - math.exp(-3 * epoch / self.epochs)
        broken = bool(self.breaks_at) and epoch >= self.breaks_at
        return {
            "epoch": epoch,
            "epochs": self.epochs,
            "train_loss": "nan" if broken else round(2.3 * (1 - 0.9 * learnt), 4),
            "val_acc": None if broken else round(self.top * learnt + dice.gauss(0, 0.01), 4),
        }


@dataclass(frozen=True)
class Fortunes:
    """`broken_share` of the configurations become NaN, all their folds; `crash_share` of the
    accelerator jobs crash the first time."""

    seed: int
    times: Mapping[str, Distribution]
    """By plan entry; what stands not there is assumed."""
    broken_share: float = 0.0
    crash_share: float = 0.0
    _drawn: dict[tuple[str, str, str], Fortune] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _cells: dict[str, tuple[bool, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, job: Job, run: str = "") -> Fortune:
        """The same for the same job; crashes differ from run to run."""
        key = (run, job.id, job.static_key)
        if key not in self._drawn:
            self._drawn[key] = self._draw(job, run)
        return self._drawn[key]

    def _draw(self, job: Job, run: str) -> Fortune:
        breaks, top = self._cell(f"{job.group} {sorted(job.matrix.items())} {job.params}")
        dice = random.Random(f"{self.seed} {job.id} {job.static_key}")
        seconds = (self.times.get(job.group) or assumed(job)).draw_s(dice)
        epochs = _epochs(job)
        breaks_at = dice.randint(1, max(1, epochs // 3)) if breaks and epochs else 0
        crash = random.Random(f"{self.seed} {run} {job.id}")
        crashes = job.devices and crash.random() < self.crash_share
        return Fortune(
            max(1.0, seconds),
            epochs,
            breaks_at,
            crash.uniform(0.1, 0.9) if crashes else 0.0,
            top + dice.gauss(0, 0.01),
        )

    def _cell(self, what: str) -> tuple[bool, float]:
        """Whether a configuration breaks and how well it learns; the same for all its folds."""
        if what not in self._cells:
            dice = random.Random(f"{self.seed} {what}")
            self._cells[what] = dice.random() < self.broken_share, dice.uniform(0.6, 0.95)
        return self._cells[what]

    def script_of(
        self, engine: Callable[[], SimulatedEngine], graph_of: Callable[[str], Graph]
    ) -> Callable[[Task], Script]:
        """What an attempt does in a simulated engine; one that resumes does what is left."""

        def script(task: Task) -> Script:
            job = graph_of(task.run).job(task.job)
            done_s = done_before(engine(), task) if task.previous else 0.0
            return script_for(self.of(job, task.run), task, done_s, keeps=job.resumes)

        return script


def script_for(fortune: Fortune, task: Task, done_s: float = 0.0, *, keeps: bool = False) -> Script:
    """The rest of a job of which `done_s` seconds of work stand in a checkpoint; one that `keeps`
    checkpoints writes one after each epoch."""
    left_s = max(1.0, fortune.seconds - done_s)
    dice = random.Random(task.attempt)
    lines: list[tuple[float, Mapping[str, Any]]] = []
    for epoch in range(1, fortune.epochs + 1):
        at_s = fortune.seconds * epoch / fortune.epochs - done_s
        if at_s > 0:
            lines.append((at_s, {"kind": "report", "values": fortune.values(epoch, dice)}))
            if keeps:
                kept = {"kind": "checkpoint", "path": "last.ckpt", "epoch": epoch, "step": epoch}
                lines.append((at_s, kept))
    if fortune.crashes_at and task.fence == 1:
        end_s = fortune.seconds * fortune.crashes_at
        return Script(end_s, tuple(line for line in lines if line[0] <= end_s), code=1)
    return Script(left_s, tuple(lines), stops_after_s=5.0)


def done_before(engine: SimulatedEngine, task: Task) -> float:
    """Seconds of work of the job's earlier attempts that were kept when they were stopped."""
    done_s = 0.0
    for fence in range(1, task.fence):
        name = f"{task.run}.{task.job}.{fence}"
        held = engine.submissions.get(engine.submission_of.get(name, ""))
        for real in held.attempts if held else ():
            if real.task.attempt == name and real.exit.reason in ("stopped", "deadline"):
                worked_s = (real.end_ms - real.start_ms) / 1000
                done_s += max(0.0, worked_s - (real.script.stops_after_s or 0.0))
    return done_s


def _epochs(job: Job) -> int:
    """What the plan says, of a job that keeps a device and is no rehearsal."""
    if not job.devices or job.smoke:
        return 0
    epochs = job.params.get("epochs", EPOCHS)
    return epochs if isinstance(epochs, int) and epochs > 0 else EPOCHS
