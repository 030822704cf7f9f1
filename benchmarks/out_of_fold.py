"""Does the demo learn? Out-of-fold accuracy of examples/photos beside what is easy to beat.

    python benchmarks/out_of_fold.py [SEEDS]

Runs the jobs of the example's plan for several seeds of the split and of the training, and prints
for each: accuracy over all held-out pictures, with its standard error; the share of the largest
class, and that share plus three standard errors; logistic regression on thumbnails of 16 pixels,
on the same folds. Ends with 1 where the demo does not beat both on every seed.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import skint  # noqa: E402
from jobs.folds.job import Params as Split  # noqa: E402
from jobs.folds.job import fold_count, folds  # noqa: E402
from jobs.resize.job import Params as Resize  # noqa: E402
from jobs.resize.job import resize  # noqa: E402
from jobs.scan.job import Params as Scan  # noqa: E402
from jobs.scan.job import scan  # noqa: E402
from jobs.train.job import train  # noqa: E402
from jobs.training.recipe.checked import CheckedRecipe  # noqa: E402
from skint.dataset import Folds, PackedSet, read_folds  # noqa: E402

EXAMPLE = ROOT / "examples" / "photos"
THUMBNAIL = 16


def parameters() -> dict[str, dict[str, Any]]:
    """`with:` of the example's plan by the job that an entry uses."""
    plan = yaml.safe_load((EXAMPLE / "plan.yaml").read_text())
    return {entry["uses"]: entry.get("with", {}) for entry in plan["jobs"].values()}


def prepare(folder: Path, given: dict[str, dict[str, Any]]) -> Path:
    """The packed set of the example."""
    ctx = skint.Context.for_test(folder / "scan", base=EXAMPLE, cpus=0)
    scan(Scan(**given["scan"]), ctx)
    packed = skint.Context.for_test(folder / "resize", inputs={"scan": ctx.out}, cpus=0)
    resize(Resize(**given["resize"]), packed)
    return packed.out


def demo(folder: Path, packed: Path, given: dict[str, dict[str, Any]], seed: int) -> Path:
    """Train every fold of one seed; the folder of `folds.csv`. Predictions are in `fold-N/out`."""
    split = skint.Context.for_test(folder / "folds", inputs={"resize": packed})
    folds(Split(**{**given["folds"], "seed": seed}), split)
    count = fold_count(given["folds"])
    for fold in range(count):
        ctx = skint.Context.for_test(
            folder / f"fold-{fold}",
            inputs={"folds": split.out, "resize": packed},
            fold=fold,
            folds=count,
            cpus=0,
            devices=("simulated-0",),
        )
        train(CheckedRecipe(**{**given["train"], "seed": seed}), ctx)
    return split.out


def correct(folder: Path) -> NDArray[np.bool_]:
    """(N,) whether each held-out picture was told right, over all folds."""
    right: list[NDArray[np.bool_]] = []
    for path in sorted(folder.glob("fold-*/out/predictions.npz")):
        with np.load(path) as saved:
            right.append(saved["probabilities"].argmax(axis=1) == saved["target"])
    return np.concatenate(right)


def thumbnails(packed: PackedSet) -> NDArray[np.float64]:
    """(N, 16 * 16 * 3) in 0..1."""
    side = (THUMBNAIL, THUMBNAIL)
    small = [Image.fromarray(image).resize(side, Image.Resampling.BOX) for image in packed.images()]
    return np.stack([np.asarray(image, dtype=np.float64).ravel() / 255 for image in small])


def regression(packed: PackedSet, folds: Folds) -> float:
    """Out-of-fold accuracy of logistic regression on thumbnails."""
    pixels, labels = thumbnails(packed), packed.labels()
    right = 0
    for fold, held_out in enumerate(folds.held_out):
        rest = folds.training(fold)
        model = LogisticRegression(max_iter=5000).fit(pixels[rest], labels[rest])
        right += int((model.predict(pixels[held_out]) == labels[held_out]).sum())
    return right / len(labels)


def main(seeds: int) -> int:
    given = parameters()
    print("seed  accuracy  ± s.e.  majority  + 3 s.e.  regression  s a fold  beats both")
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = prepare(folder, given)
        packed = PackedSet.open(place)
        majority = float(np.bincount(packed.labels()).max()) / len(packed)
        for seed in range(seeds):
            begun = time.monotonic()
            split = demo(folder / f"seed-{seed}", place, given, seed)
            seconds = time.monotonic() - begun
            right = correct(folder / f"seed-{seed}")
            assert len(right) == len(packed), "every picture is held out exactly once"
            accuracy = float(right.mean())
            error = math.sqrt(accuracy * (1 - accuracy) / len(right))
            # The standard error under the hypothesis that only the majority is known.
            bar = majority + 3 * max(error, math.sqrt(majority * (1 - majority) / len(right)))
            folds = read_folds(split / "folds.csv", len(packed))
            simple = regression(packed, folds)
            beats = accuracy > bar and accuracy > simple
            good = good and beats
            per_fold = seconds / len(folds)
            print(
                f"{seed:4}  {accuracy:8.3f}  {error:6.3f}  {majority:8.3f}  {bar:8.3f}  "
                f"{simple:10.3f}  {per_fold:8.1f}  {'yes' if beats else 'NO'}",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
