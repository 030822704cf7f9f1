"""What an answer costs: accelerator time charged for the same score on the same folds.

    python benchmarks/hours_to_answer.py [--all]

The peer is the script that most people write (`data/usual_script.py`): ImageFolder, resizing in the
loader, one process for all three folds, each to its end. It gets the batch and the number of
workers that feed it fastest here, and skint the same batch. What it is charged is the time from
its start to its end: the accelerator is attached all the while. skint runs a plan on a simulated
device, and is charged what its ledger says.

(a) Photos of 500 x 375 and 2000 x 1500 pixels, resized to 224. The device is a stand-in whose
training step takes 10 ms (with `--all` also 5, 50 and 200 ms): decoding, loading, processes and the
ledger are real. Bars: at most 30 % of the script's charge at 500 pixels, 5 % at 2000.

(b) Real training on the CPU: the head of a pretrained EfficientNet-Lite0 on the photos of
examples/photos, by the feature cache. Bar: at most 25 % of the script's charge.

In both skint's score must not be lower by more than one standard error. CPU time of all processes
is printed beside the charges, and where the charges went. Ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
PHOTOS = ROOT / "examples" / "photos" / "data"
SIZE_PX = 224
FOLDS = 3
THREADS = 2


@dataclass(frozen=True)
class Case:
    """One comparison."""

    name: str
    photo_px: tuple[int, int] | None
    """(width, height); None for the photos as they are."""
    photos: int
    step_ms: float | None
    """Of the stand-in; None for real training."""
    bar: float | None
    """Share of the script's charge at most; None where nothing is judged."""
    epochs: int = 12
    recipe: Mapping[str, Any] = field(default_factory=lambda: {"lr": 0.01})


JUDGED = (
    Case("500 px, 10 ms", (500, 375), 640, 10, 0.30),
    Case("2000 px, 10 ms", (2000, 1500), 320, 10, 0.05),
    Case("real, feature cache", None, 160, None, 0.25, 6, {"lr": 0.003}),
)
SHOWN = tuple(
    Case(f"{width} px, {step_ms} ms", (width, width * 3 // 4), photos, step_ms, None)
    for width, photos in ((500, 640), (2000, 160))
    for step_ms in (5, 50, 200)
)


@dataclass(frozen=True)
class Cost:
    """What one side needed."""

    charged_s: float
    cpu_s: float
    score: float
    n: int
    spent: Mapping[str, float]
    """Where the charge went, in seconds."""


def photographs(folder: Path, case: Case) -> None:
    """A folder for each class, of `case.photos` JPEGs made from those of the example."""
    files = sorted(PHOTOS.rglob("*.jpg"))
    draw = np.random.default_rng(0)
    for number in range(case.photos):
        source = files[number % len(files)]
        target = folder / source.parent.name / f"{number:04}-{source.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if case.photo_px is None:
            shutil.copyfile(source, target)
            continue
        with Image.open(source) as image:
            photo = image.convert("RGB")
        width, height = case.photo_px
        share = draw.uniform(0.85, 1.0) * min(photo.width / width, photo.height / height)
        left = draw.uniform(0, photo.width - share * width)
        top = draw.uniform(0, photo.height - share * height)
        box = (left, top, left + share * width, top + share * height)
        made = photo.resize((width, height), Image.Resampling.BICUBIC, box=box)
        made.save(target, quality=90)


def plan_of(case: Case, folder: Path, batch: int) -> Path:
    """The plan of a case, written beside the stand-in."""
    shutil.copy(DATA / "stand_in.py", folder)
    recipe = {"epochs": case.epochs, "batch_size": batch, "augment": "flip", **case.recipe}
    jobs: dict[str, Any] = {
        "scan": {"uses": "scan", "with": {"source": "photos"}},
        "packed": {"uses": "resize", "needs": ["scan"], "with": {"size": SIZE_PX}},
        "folds": {"uses": "folds", "needs": ["packed"], "with": {"k": FOLDS, "seed": 0}},
    }
    train = {"uses": "train", "needs": ["folds"], "per": "fold", "devices": 1}
    if case.step_ms is None:
        lite = {"model": "efficientnet-lite0", "weights": "package"}
        jobs["features"] = {"uses": "features", "needs": ["folds"], "devices": 1, "with": lite}
        head = {**recipe, "model": "linear", "augment": "none"}
        jobs["train"] = {**train, "needs": ["features"], "devices": 0, "with": head}
    else:
        own = {**recipe, "model": "stand_in:Net"}
        jobs["train"] = {**train, "env": ["STEP_MS", "STEP_BATCH"], "with": own}
    plan = folder / "plan.yaml"
    plan.write_text(yaml.safe_dump({"name": "answer", "account": "bench", "jobs": jobs}))
    return plan


def run(command: list[str], environ: Mapping[str, str]) -> tuple[float, str]:
    """Run it to its end; CPU seconds of it and of all that it waited for, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True)
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}"
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{said}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu_s, done.stdout


def by_skint(case: Case, folder: Path, batch: int) -> Cost:
    """The plan, by the command line, with a home of its own."""
    home = folder / "home"
    environ = {
        "SKINT_HOME": str(home),
        "SKINT_DEVICES": "simulated",
        "STEP_MS": str(case.step_ms or 0),
        "STEP_BATCH": str(batch),
    }
    skint = [sys.executable, "-m", "orchestrator.cli"]
    run([*skint, "account", "add", "bench", "--preset", "simulated"], environ)
    cpu_s, _ = run([*skint, "run", str(plan_of(case, folder, batch))], environ)
    exported = run([*skint, "ledger", "export", "--format", "json"], environ)[1]
    charged_s = sum(line["charged_ms"] or 0 for line in json.loads(exported)["entries"]) / 1000
    attempts = home / "runs" / "answer-1"
    right, count = 0.0, 0
    for fold in range(FOLDS):
        [result] = attempts.glob(f"train.fold{fold}/*/out/result.json")
        answer = json.loads(result.read_text())
        right, count = right + answer["score"] * answer["n"], count + answer["n"]
    entry = "train" if case.step_ms is not None else "features"
    return Cost(charged_s, cpu_s, right / count, count, spent(attempts, entry, charged_s))


def spent(attempts: Path, entry: str, charged_s: float) -> dict[str, float]:
    """Seconds of the charge inside steps, waiting between them, and outside of epochs."""
    steps_s = epochs_s = 0.0
    for file in attempts.glob(f"{entry}*/[0-9]*/events.jsonl"):
        for line in map(json.loads, file.read_text().splitlines()):
            if line["kind"] == "report" and "in_step_s" in line["values"]:
                steps_s += line["values"]["in_step_s"]
                epochs_s += line["values"]["seconds"]
    return {"steps": steps_s, "waiting": epochs_s - steps_s, "start": charged_s - epochs_s}


def by_script(case: Case, folder: Path, batch: int, workers: int, *, tune: bool = False) -> Any:
    """The usual script on the same photos and folds; with `tune`, what it says of its loader."""
    [table] = (folder / "home" / "runs" / "answer-1").glob("folds/*/out/folds.csv")
    [packed] = (folder / "home" / "runs" / "answer-1").glob("packed/*/out/samples.csv")
    with packed.open() as file:
        paths = {row["id"]: row["path"] for row in csv.DictReader(file)}
    with table.open() as file:
        folds = {paths[row["id"]]: int(row["fold"]) for row in csv.DictReader(file)}
    task = {
        "root": str(folder / "photos"),
        "folds": folds,
        "model": "stand-in" if case.step_ms is not None else "lite0",
        "size": SIZE_PX,
        "epochs": case.epochs,
        "batch": batch,
        "workers": workers,
        "seed": 0,
        "threads": THREADS,
        **case.recipe,
    }
    (folder / "task.json").write_text(json.dumps(task))
    environ = {"STEP_MS": str(case.step_ms or 0), "STEP_BATCH": str(batch)}
    script = [sys.executable, str(DATA / "usual_script.py")]
    command = [*script, str(folder / "task.json"), str(folder / "answer.json")]
    begun = os.times().elapsed
    cpu_s, _ = run([*command, *(["--tune"] if tune else [])], environ)
    wall_s = os.times().elapsed - begun
    answer = json.loads((folder / "answer.json").read_text())
    if tune:
        return answer
    return Cost(wall_s, cpu_s, answer["score"], answer["n"], answer["spent"])


def compare(case: Case) -> bool:
    """Print both sides; whether the bar is reached and the scores agree."""
    with tempfile.TemporaryDirectory(prefix="hours-to-answer-") as name:
        folder = Path(name)
        photographs(folder / "photos", case)
        prepared = by_skint(case, folder, batch=32)  # the folds, for the tuning of the script
        rates = by_script(case, folder, batch=32, workers=0, tune=True)
        fastest = max(rates, key=lambda key: rates[key])
        batch, workers = map(int, fastest.split(","))
        script = by_script(case, folder, batch, workers)
        ours = prepared
        if batch != 32:
            shutil.rmtree(folder / "home")
            ours = by_skint(case, folder, batch)
    share = ours.charged_s / script.charged_s
    mean = (ours.score + script.score) / 2
    error = math.sqrt(mean * (1 - mean) / ours.n)
    bar = "" if case.bar is None else f"  bar {case.bar:.0%}"
    print(f"\n{case.name}: {share:.1%} of the script's charge{bar}")
    print(f"  the script: batches of {batch}, {workers} workers, {rates[fastest]:.0f} pictures/s")
    for side, cost in (("skint", ours), ("script", script)):
        where = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in cost.spent.items())
        print(
            f"  {side:6}  charged {cost.charged_s:7.1f} s   CPU {cost.cpu_s:7.1f} s"
            f"   score {cost.score:.3f}   ({where})"
        )
    more = ours.score - script.score
    print(f"  skint's score is {more:+.3f} beside the script's, standard error {error:.3f}")
    return case.bar is None or (share <= case.bar and more >= -error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="also what is not judged")
    parser.add_argument("--case", help="only the cases whose name begins with this")
    options = parser.parse_args()
    cases = [*JUDGED, *(SHOWN if options.all else ())]
    wanted = [case for case in cases if case.name.startswith(options.case or "")]
    reached = [compare(case) for case in wanted]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
