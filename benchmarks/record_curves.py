"""Record how trainings really go, epoch by epoch and fold by fold: what stop rules are replayed on.

    python benchmarks/record_curves.py [--data FOLDER] [--most N]

Trains small networks on nine real data sets (benchmarks/data/real_sets.py names each one's origin
and licence), five stratified folds each, one after the other in one thread, and keeps their curves
in benchmarks/data/epoch_curves.jsonl.gz. FOLDER has the folders fashion_mnist_png, signdigits,
clothing10 and eurosat_ms, with a folder for each class. What the file has already is not recorded
again, so that it can be stopped at any time; with all of it there it does nothing and needs none of
the data. Everything but the seconds follows from the list in benchmarks/data/recipes.py.

The file is JSON lines in gzip; benchmarks/data/epoch_curves.py reads it and names each field.
The first line: format, version, and the torch, scikit-learn and processor that recorded it. Then a
line {"set": …} for each data set: name, family (sets of one family are made of the same items),
origin, licence, items, classes, shape, largest_class (its share), fold_items. Then a line
{"run": …} for each run: id, data, kind, schedule, cycles (epochs of each, of sgdr), epochs, recipe,
and of each of the five folds: items, val_acc, val_loss, train_loss and seconds (CPU) for each
epoch, best_epoch, right (which validation items that epoch got right, as bits in base64) and
broken_epoch. A loss that is not finite is null, and broken_epoch (from 1) then says where that
began; `val_acc` is always a number: what is reported of a network that answers NaN.

A run's kind: `usual` recipes have a rate within half a decade of a good one, `wide` ones within two
decades; the others have one thing wrong with them that happens to people: "rate-high" (x 1000),
"rate-low" (/ 1000), "shuffled" (training labels), "noisy" (40 % of them), "short" (3 epochs),
"starved" (a hidden layer of 2), "dropout" (0.9), "decay" (weight decay of 1).
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.data.epoch_curves import (  # noqa: E402
    CURVES,
    Curves,
    DataSet,
    FoldCurve,
    Run,
    read,
    write,
)
from benchmarks.data.recipes import Recipe, Wanted, wanted  # noqa: E402

if TYPE_CHECKING:
    import torch

    from benchmarks.data.real_sets import Items

FOLDS = 5


def network(recipe: Recipe, shape: tuple[int, ...], classes: int) -> torch.nn.Module:
    """For one item of `shape`: (C, H, W) or (D,)."""
    from torch import nn

    layers: list[nn.Module] = []
    if recipe.model == "cnn":
        before, side = shape[0], shape[1]
        for at in range(recipe.depth):
            after = recipe.width * 2**at
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            before, side = after, side // 2
        width = before * side * side
        layers += [nn.Flatten()]
    else:
        layers += [nn.Flatten()]
        width = 1
        for length in shape:
            width *= length
        for _ in range(recipe.depth):
            layers += [nn.Linear(width, recipe.width), nn.ReLU()]
            width = recipe.width
    return nn.Sequential(*layers, nn.Dropout(recipe.dropout), nn.Linear(width, classes))


def train(recipe: Recipe, items: Items, held: Any, fold: int, seed: int) -> FoldCurve:
    """One fold; `held`: which items (N,) are for validation."""
    import numpy as np
    import torch
    from torch.nn.functional import cross_entropy

    from jobs.training.optimisation.curve import Curve

    torch.manual_seed(seed)
    inputs, labels = torch.from_numpy(items.inputs), torch.from_numpy(items.labels)
    classes, held = int(labels.max()) + 1, torch.from_numpy(held)
    seen, truth, checked, answers = inputs[~held], labels[~held], inputs[held], labels[held]
    wrong = torch.rand(len(truth)) < recipe.wrong_labels
    truth = torch.where(wrong, torch.randint(classes, truth.shape), truth)
    net = network(recipe, tuple(inputs.shape[1:]), classes)
    if recipe.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            net.parameters(), recipe.rate, momentum=0.9, weight_decay=recipe.weight_decay
        )
    else:
        optimizer = torch.optim.AdamW(
            net.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )
    steps = -(-len(truth) // recipe.batch)
    curve = Curve(
        schedule=recipe.schedule,  # type: ignore[arg-type]  # a name of SCHEDULES
        steps=steps * recipe.epochs,
        cycles=tuple(length * steps for length in recipe.cycles),
        fall_steps=max(1, steps * recipe.epochs // 3),
    )
    done, best = 0, (-1.0, 0, b"")
    val_acc: list[float] = []
    val_loss, train_loss, seconds = [], [], []
    for epoch in range(1, recipe.epochs + 1):
        begun, total = time.process_time(), 0.0
        net.train()
        for chosen in torch.randperm(len(truth)).split(recipe.batch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * curve.share(done)
            batch = seen[chosen]
            if recipe.flip:
                turned = torch.rand(len(batch)) < 0.5
                batch = torch.where(turned[:, None, None, None], batch.flip(3), batch)
            optimizer.zero_grad(set_to_none=True)
            loss = cross_entropy(net(batch), truth[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
            done += 1
        net.eval()
        with torch.no_grad():
            scores = net(checked)
        right = (scores.argmax(1) == answers).numpy()
        val_acc.append(round(float(right.mean()), 6))
        val_loss.append(cross_entropy(scores, answers).item())
        train_loss.append(total / len(truth))
        seconds.append(round(time.process_time() - begun, 4))
        if val_acc[-1] > best[0]:
            best = (val_acc[-1], epoch, np.packbits(right).tobytes())
    losses = zip(val_loss, train_loss, strict=True)
    broken = [epoch for epoch, pair in enumerate(losses, 1) if not all(map(isfinite, pair))]
    return FoldCurve(
        fold=fold,
        items=len(answers),
        val_acc=tuple(val_acc),
        val_loss=tuple(map(kept, val_loss)),
        train_loss=tuple(map(kept, train_loss)),
        seconds=tuple(seconds),
        best_epoch=best[1],
        right=base64.b64encode(best[2]).decode(),
        broken_epoch=broken[0] if broken else None,
    )


def kept(loss: float) -> float | None:
    """Five digits of it; None if it is not finite."""
    return float(f"{loss:.5g}") if isfinite(loss) else None


def folds_of(items: Items) -> list[Any]:
    """For each fold, which items (N,) are for validation."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    folds = []
    for _, chosen in cut.split(items.labels, items.labels):
        held = np.zeros(len(items.labels), bool)
        held[chosen] = True
        folds.append(held)
    return folds


def record(want: Wanted, items: Items, folds: list[Any]) -> Run:
    recipe = want.recipe
    return Run(
        id=want.id,
        data=want.data,
        kind=want.kind,
        schedule=recipe.schedule,
        cycles=recipe.cycles,
        epochs=recipe.epochs,
        recipe={
            name: value
            for name, value in asdict(recipe).items()
            if name not in ("schedule", "cycles", "epochs")
        },
        folds=tuple(
            train(recipe, items, held, fold, zlib.crc32(f"{want.id}/{fold}".encode()))
            for fold, held in enumerate(folds)
        ),
    )


def described(name: str, items: Items, folds: list[Any]) -> DataSet:
    from collections import Counter

    from benchmarks.data.real_sets import SOURCES

    counts = Counter(items.labels.tolist())
    source = SOURCES[name]
    return DataSet(
        name=name,
        family=source.family,
        origin=source.origin,
        licence=source.licence,
        items=len(items.labels),
        classes=len(counts),
        shape=tuple(items.inputs.shape[1:]),
        largest_class=round(max(counts.values()) / len(items.labels), 6),
        fold_items=tuple(int(held.sum()) for held in folds),
    )


def completed(
    curves: Curves, missing: list[Wanted], data: Path, path: Path
) -> Iterator[tuple[Wanted, Run]]:
    """Each run that was missing, when `path` has it."""
    from benchmarks.data.real_sets import SOURCES

    sets, runs = dict(curves.sets), list(curves.runs)
    read_sets: dict[str, tuple[Items, list[Any]]] = {}
    for want in missing:
        if want.data not in read_sets:
            items = SOURCES[want.data].load(data)
            read_sets[want.data] = items, folds_of(items)
            sets[want.data] = described(want.data, *read_sets[want.data])
        run = record(want, *read_sets[want.data])
        runs.append(run)
        write(curves.made, list(sets.values()), runs, path)
        yield want, run


def machine() -> dict[str, str]:
    import sklearn
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpus = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = cpus[0] if cpus else "unknown"
    return {"torch": torch.__version__, "scikit-learn": sklearn.__version__, "cpu": cpu}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(), help="folder of the sets of pictures")
    parser.add_argument("--most", type=int, help="stop after so many runs")
    arguments = parser.parse_args()
    curves = read() if CURVES.exists() else None
    known = {run.id for run in curves.runs} if curves else set()
    missing = [want for want in wanted() if want.id not in known]
    print(f"{len(known)} runs are there, {len(missing)} are missing", flush=True)
    if not missing:
        return 0
    import torch

    torch.set_num_threads(1)
    os.nice(10)
    curves = curves or Curves(machine(), {}, ())
    try:
        for want, run in completed(curves, missing[: arguments.most], arguments.data, CURVES):
            mean = sum(max(fold.val_acc) for fold in run.folds) / len(run.folds)
            print(f"{want.id:22}{want.kind:10}{mean:8.3f} {run.seconds:7.1f} s", flush=True)
    except FileNotFoundError as error:
        parser.error(f"{error}; say with --data where the sets of pictures are")
    return 0


if __name__ == "__main__":
    sys.exit(main())
