"""How much of what is charged is spent in steps: three folds of five epochs on a stand-in device.

    python benchmarks/in_step.py [--step-ms 5 20 50 200]

The stand-in takes as long for a training step as it is told (`data/stand_in.py`); processes,
loading, validation, checkpoints and the ledger are real. Pictures are 64 x 64 pixels; an epoch has
so many steps that it lasts some seconds.

Printed for each step time: seconds charged, the share of them inside training and validation
steps, the gap between two folds on the device, and beside it how long a fold takes from its start
to its first step when nothing was prepared. Bar: 95 % in steps. Ends with 1 where it is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
PHOTOS = ROOT / "examples" / "photos" / "data"
COPIES = 20
"""Of each photo of the example: 3,200 in all."""
BATCHES = {5: 4, 20: 16, 50: 32, 200: 64}
"""Pictures of a batch by milliseconds of a step, so that all epochs last about as long."""
FOLDS, EPOCHS = 3, 5
BAR = 0.95


def photographs(folder: Path) -> None:
    """A folder for each class."""
    for source in sorted(PHOTOS.rglob("*.jpg")):
        (folder / source.parent.name).mkdir(parents=True, exist_ok=True)
        for copy in range(COPIES):
            shutil.copyfile(source, folder / source.parent.name / f"{copy:02}-{source.name}")


def plan(folder: Path, batch: int) -> Path:
    """The plan of a run, beside the stand-in."""
    shutil.copy(DATA / "stand_in.py", folder)
    train = {
        "uses": "train",
        "needs": ["folds"],
        "per": "fold",
        "devices": 1,
        "env": ["STEP_MS", "STEP_BATCH"],
        "with": {"model": "stand_in:Net", "epochs": EPOCHS, "batch_size": batch, "lr": 0.01},
    }
    jobs = {
        "scan": {"uses": "scan", "with": {"source": "photos"}},
        "packed": {"uses": "resize", "needs": ["scan"], "with": {"size": 64}},
        "folds": {"uses": "folds", "needs": ["packed"], "with": {"k": FOLDS}},
        "train": train,
    }
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"name": "in-step", "account": "bench", "jobs": jobs}))
    return path


@dataclass(frozen=True)
class Fold:
    """One fold as its events and the ledger tell."""

    kept_ms: int
    """Unix time from which it was charged."""
    ended_ms: int
    first_step_ms: float
    in_step_s: float
    prepared_s: float
    """From the start of its process until it could begin: what a start from nothing takes."""

    @property
    def charged_s(self) -> float:
        return (self.ended_ms - self.kept_ms) / 1000


def run(folder: Path, step_ms: int, batch: int) -> list[Fold]:
    """The folds of one run, in order."""
    home = folder / f"home-{step_ms}"
    environ = {
        **os.environ,
        "SKINT_HOME": str(home),
        "SKINT_DEVICES": "simulated",
        "STEP_MS": str(step_ms),
        "STEP_BATCH": str(batch),
    }
    skint = [sys.executable, "-m", "orchestrator.cli"]

    def said(*command: str) -> str:
        done = subprocess.run([*skint, *command], env=environ, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"skint {' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    said("account", "add", "bench", "--preset", "simulated")
    said("run", str(plan(folder, batch)))
    lines = json.loads(said("ledger", "export", "--format", "json"))["entries"]
    charges = sorted(
        (line["start_ms"], line["end_ms"]) for line in lines if line["kind"] == "settled"
    )
    folds = [_events(file) for file in home.glob("runs/in-step-1/train.fold*/[0-9]*/events.jsonl")]
    folds.sort(key=lambda events: events[-1]["at"])
    return [_fold(events, *kept) for events, kept in zip(folds, charges, strict=True)]


def _events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _fold(events: list[dict[str, Any]], kept_ms: int, ended_ms: int) -> Fold:
    epochs = [e for e in events if e["kind"] == "report" and "in_step_s" in e["values"]]
    at = {event["kind"]: event["at"] for event in reversed(events)}
    first_step_ms = epochs[0]["at"] - 1000 * epochs[0]["values"]["seconds"]
    ready_ms = at.get("ready", first_step_ms)
    return Fold(
        kept_ms,
        ended_ms,
        first_step_ms,
        sum(event["values"]["in_step_s"] for event in epochs),
        (ready_ms - at["started"]) / 1000,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--step-ms", type=int, nargs="+", default=sorted(BATCHES))
    options = parser.parse_args()
    missed = False
    print("step      charged   in steps   gap between folds   a start from nothing")
    with tempfile.TemporaryDirectory(prefix="in-step-") as name:
        folder = Path(name)
        photographs(folder / "photos")
        for step_ms in options.step_ms:
            folds = run(folder, step_ms, BATCHES[step_ms])
            charged_s = sum(fold.charged_s for fold in folds)
            share = sum(fold.in_step_s for fold in folds) / charged_s
            gap_s = statistics.median(
                (after.first_step_ms - before.ended_ms) / 1000 for before, after in pairwise(folds)
            )
            cold_s = statistics.median(fold.prepared_s for fold in folds)
            missed = missed or share < BAR
            print(
                f"{step_ms:3} ms  {charged_s:8.1f} s   {share:8.1%}   {gap_s:15.2f} s"
                f"   {cold_s:18.2f} s",
                flush=True,
            )
    print(f"bar: {BAR:.0%} in steps" + (": missed" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
