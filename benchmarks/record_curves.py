"""Record how trainings really go, epoch by epoch and fold by fold: what stop rules are replayed on.

    python benchmarks/record_curves.py [--data FOLDER] [--most N]

Trains small networks on nine real data sets (benchmarks/data/real_sets.py names each one's origin
and licence), five stratified folds each, one after the other in one thread, and keeps their curves
in benchmarks/data/epoch_curves.jsonl.gz. FOLDER has the folders fashion_mnist_png, signdigits,
clothing10 and eurosat_ms, with a folder for each class. What the file has already is not recorded
again, so that it can be stopped at any time; with all of it there it does nothing and needs none of
the data. Everything but the seconds follows from the list of recipes below.

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
import random
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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

if TYPE_CHECKING:
    import torch

    from benchmarks.data.real_sets import Items

Model = Literal["linear", "mlp", "cnn"]
Optimizer = Literal["sgd", "adamw"]

SETS = {
    "digits": True,
    "fashion": True,
    "signs": True,
    "clothes": True,
    "satellite": True,
    "signs-features": False,
    "clothes-features": False,
    "breast-cancer": False,
    "docstrings": False,
}
"""Name -> whether its items are pictures, which networks with convolutions take."""
PICTURE_MODELS: tuple[Model, ...] = ("cnn", "cnn", "mlp", "linear")
OTHER_MODELS: tuple[Model, ...] = ("mlp", "mlp", "linear")
OPTIMIZERS: tuple[Optimizer, ...] = ("sgd", "adamw")
RUNS_OF_A_SET = 44
FOLDS = 5
SCHEDULES = ("one-cycle", "cosine", "constant", "sgdr", "step")
OFTEN = (30, 25, 20, 15, 10)
LENGTHS, SO_OFTEN = (15, 10, 20, 30), (60, 20, 14, 6)
CYCLES = {
    10: ((5, 5), (2, 2, 2, 2, 2)),
    15: ((5, 10), (5, 5, 5), (1, 2, 4, 8)),
    20: ((5, 5, 5, 5), (10, 10)),
    30: ((10, 20), (2, 4, 8, 16)),
}
GOOD_RATE = {"sgd": 0.03, "adamw": 0.003}
WRONG = ("rate-high", "rate-low", "shuffled", "noisy", "short", "starved", "dropout", "decay")


@dataclass(frozen=True)
class Recipe:
    model: Model
    width: int
    """Units of a hidden layer, or channels of the first convolution."""
    depth: int
    """Hidden layers, or convolutions."""
    dropout: float
    optimizer: Optimizer
    rate: float
    """The highest learning rate."""
    weight_decay: float
    batch: int
    flip: bool
    """Half of the training pictures, from left to right."""
    wrong_labels: float
    """Share of the training labels that are drawn anew."""
    schedule: str
    cycles: tuple[int, ...]
    epochs: int


@dataclass(frozen=True)
class Wanted:
    data: str
    number: int
    kind: str
    recipe: Recipe

    @property
    def id(self) -> str:
        return f"{self.data}-{self.number:02}"


def wanted() -> list[Wanted]:
    """The whole list: the first run of each set, the second of each, and so on."""
    return [drawn(data, number) for number in range(RUNS_OF_A_SET) for data in SETS]


def drawn(data: str, number: int) -> Wanted:
    dice = random.Random(f"{data}-{number}")
    models = PICTURE_MODELS if SETS[data] else OTHER_MODELS
    model, optimizer = dice.choice(models), dice.choice(OPTIMIZERS)
    kind = dice.choices(("usual", "wide", "wrong"), (45, 35, 20))[0]
    decades = {"usual": 0.5, "wide": 2.0, "wrong": 0.3}[kind]
    schedule = dice.choices(SCHEDULES, OFTEN)[0]
    epochs = dice.choices(LENGTHS, SO_OFTEN)[0]
    recipe = Recipe(
        model=model,
        width=dice.choice((8, 12) if model == "cnn" else (32, 64, 128)),
        depth=0 if model == "linear" else dice.choice((2, 3) if model == "cnn" else (1, 2)),
        dropout=dice.choice((0.0, 0.0, 0.2, 0.5)),
        optimizer=optimizer,
        rate=float(f"{GOOD_RATE[optimizer] * 10 ** dice.uniform(-decades, decades):.3g}"),
        weight_decay=dice.choice((0.0, 1e-4, 1e-2)),
        batch=dice.choice((32, 32, 64)),
        flip=SETS[data] and dice.random() < 0.3,
        wrong_labels=dice.choice((0.0, 0.0, 0.0, 0.0, 0.1)),
        schedule=schedule,
        cycles=dice.choice(CYCLES[epochs]) if schedule == "sgdr" else (),
        epochs=epochs,
    )
    if kind == "wrong":
        kind = WRONG[number % len(WRONG)] if number >= len(WRONG) else dice.choice(WRONG)
        recipe = spoilt(recipe, kind)
    return Wanted(data, number, kind, recipe)


def spoilt(recipe: Recipe, kind: str) -> Recipe:
    """With the one thing that `kind` names."""
    if kind == "short":
        short = (1, 2) if recipe.schedule == "sgdr" else ()
        return replace(recipe, epochs=3, cycles=short)
    changes: Mapping[str, Mapping[str, Any]] = {
        "rate-high": {"rate": recipe.rate * 1000},
        "rate-low": {"rate": recipe.rate / 1000},
        "shuffled": {"wrong_labels": 1.0},
        "noisy": {"wrong_labels": 0.4},
        "starved": {"model": "mlp", "width": 2, "depth": 1},
        "dropout": {"dropout": 0.9},
        "decay": {"weight_decay": 1.0},
    }
    return replace(recipe, **changes[kind])


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
    for want, run in completed(curves, missing[: arguments.most], arguments.data, CURVES):
        mean = sum(max(fold.val_acc) for fold in run.folds) / len(run.folds)
        print(f"{want.id:22}{want.kind:10}{mean:8.3f} {run.seconds:7.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
