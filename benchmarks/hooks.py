"""What skint's hooks cost a training, beside the same training without them.

    python benchmarks/hooks.py [ROUNDS]

A tiny network in Lightning's own loop, on one thread of the CPU, in turn without a callback, with
an empty one (what Lightning takes to call any), and with `skint.Callback` in an attempt. CPU time
of the process, medians of the rounds. What passes inside our hooks is also summed hook by hook,
over all their calls. Bars: 0.3 ms of CPU time a step, 1 ms an epoch's report.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

import skint
from skint.attempt import AttemptDir, Task

STEPS, VALIDATIONS, EPOCHS = 400, 20, 5
"""Of a round: steps and validation steps of an epoch, epochs."""
STEP_MS, REPORT_MS = 0.3, 1.0
HOOKS = tuple(name for name in vars(skint.Callback) if name.startswith("on_"))


class Model(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(8, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        return self.layer(batch).pow(2).mean()

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", self.layer(batch).pow(2).mean())

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Batches:
    """The same batch again and again: a loader that costs nothing."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.batch = torch.ones(4, 8)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.batch, self.count)


class Spent:
    """Time inside the hooks of a callback: CPU time of this thread, and what the clock says."""

    def __init__(self) -> None:
        self.cpu_ms: dict[str, list[float]] = defaultdict(list)
        self.wall_ms: dict[str, list[float]] = defaultdict(list)

    def watch(self, callback: pl.Callback) -> pl.Callback:
        for name in HOOKS:
            setattr(callback, name, self._timed(name, getattr(callback, name)))
        return callback

    def _timed(self, name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
        cpu_ms, wall_ms = self.cpu_ms[name], self.wall_ms[name]

        def timed(*arguments: Any, **options: Any) -> Any:
            wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
            try:
                return hook(*arguments, **options)
            finally:
                cpu_ms.append((time.thread_time_ns() - cpu_ns) / 1e6)
                wall_ms.append((time.perf_counter_ns() - wall_ns) / 1e6)

        return timed


def cpu_s_of_fit(callbacks: list[pl.Callback], folder: Path) -> float:
    """CPU seconds of a training, all threads."""
    trainer = pl.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    begun_s = time.process_time()
    trainer.fit(Model(), Batches(STEPS), Batches(VALIDATIONS))
    return time.process_time() - begun_s


def main(rounds: int) -> int:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    spent = Spent()
    kinds: dict[str, Callable[[], list[pl.Callback]]] = {
        "no callback": list,
        "an empty callback": lambda: [pl.Callback()],
        "skint.Callback": lambda: [skint.Callback()],
    }
    per_step: dict[str, list[float]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as text:
        directory = AttemptDir(Path(text) / "attempt")
        directory.create(Task("bench.train.1", 1, "bench", "train"))
        os.environ["SKINT_ATTEMPT_DIR"] = str(directory.path)
        cpu_s_of_fit([], Path(text))  # warms up
        for _ in range(rounds):
            for name, make in kinds.items():
                cpu_s = cpu_s_of_fit(make(), Path(text))
                per_step[name].append(cpu_s * 1000 / (STEPS * EPOCHS))
            cpu_s_of_fit([spent.watch(skint.Callback())], Path(text))
    return tell(rounds, per_step, spent)


def tell(rounds: int, per_step: dict[str, list[float]], spent: Spent) -> int:
    """Print the tables; 1 where a bar is missed."""
    steps = rounds * STEPS * EPOCHS
    bare = statistics.median(per_step["no callback"])
    print(f"{'CPU ms a step':<26}{'median':>9}{'added':>9}   {rounds} × {STEPS * EPOCHS} steps")
    for name, found in per_step.items():
        print(f"{name:<26}{statistics.median(found):>9.4f}{statistics.median(found) - bare:>9.4f}")
    pairs = zip(per_step["skint.Callback"], per_step["no callback"], strict=True)
    added_ms = statistics.median(ours - none for ours, none in pairs)

    print(f"\n{'inside our hooks':<26}{'calls':>9}{'CPU µs':>9}{'wall µs':>9}   median of a call")
    for name, found in spent.cpu_ms.items():
        if found:
            cpu, wall = (statistics.median(t) * 1000 for t in (found, spent.wall_ms[name]))
            print(f"{name:<26}{len(found):>9}{cpu:>9.1f}{wall:>9.1f}")
    summed_ms = sum(map(sum, spent.cpu_ms.values())) / steps
    report_ms = statistics.median(spent.wall_ms["on_train_epoch_end"])

    bars = (
        ("added to a step, CPU", added_ms, STEP_MS),
        ("all hooks, summed, a step, CPU", summed_ms, STEP_MS),
        ("an epoch's report, by the clock", report_ms, REPORT_MS),
    )
    print()
    for name, got_ms, bar_ms in bars:
        verdict = "ok" if got_ms <= bar_ms else "over"
        print(f"{name:<34}{got_ms:>8.4f} ms{bar_ms:>7.1f} ms   {verdict}")
    return int(any(got_ms > bar_ms for _, got_ms, bar_ms in bars))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
