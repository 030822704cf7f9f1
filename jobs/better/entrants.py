"""What is compared: the folds of an entry, with their scores and their held-out rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skint
from jobs.better.choice import CHOICE, kept_folders, read_choice
from jobs.better.unpredicted import unpredicted

RESULT, PREDICTIONS = "result.json", "predictions.npz"
ONCE = ("classes", "targets")
"""Arrays that say something of all predictions, and not one thing of each."""
Arrays = Mapping[str, NDArray[Any]]


class BetterError(skint.SkintError):
    """These entries cannot be compared."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """An entry of the plan."""

    name: str
    folders: tuple[Path, ...]
    """Of its folds, in order."""
    metric: str
    scores: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def score(self) -> float:
        return fmean(self.scores)

    @property
    def count(self) -> int:
        return sum(self.counts)

    @cached_property
    def predictions(self) -> tuple[Arrays, ...]:
        """Of each fold."""
        return tuple(_read_arrays(folder / PREDICTIONS) for folder in self.folders)


def read_entrants(ctx: skint.Context, names: Sequence[str]) -> tuple[Entrant, ...]:
    """Those entries, or all that have results. Raises BetterError unless they fit each other."""
    if names:
        for name in names:
            ctx.group(name)  # raises InputNotFound where it is none
        chosen = tuple(dict.fromkeys(names))
    else:
        chosen = _with_results(ctx)
    if len(chosen) < 2:
        why = () if names else unpredicted(ctx)
        raise BetterError(
            "there are no two entries to compare",
            where="better",
            got="; ".join([", ".join(chosen) or "no entry with out-of-fold predictions", *why]),
            wanted="two or more that are `train`, or write result.json and predictions.npz",
        )
    entrants = tuple(_read(ctx, name) for name in chosen)
    for other in entrants[1:]:
        _check_same(entrants[0], other)
    return entrants


def joined(entrant: Entrant) -> dict[str, NDArray[Any]]:
    """Its predictions of all folds together, and `fold` (n,), each one's number."""
    parts = entrant.predictions
    count = [len(part["ids"]) for part in parts]
    arrays = {
        name: first if name.rpartition(".")[2] in ONCE else _all(parts, name)
        for name, first in parts[0].items()
    }
    return {**arrays, "fold": np.repeat(np.arange(len(parts)), count)}


def _all(parts: Sequence[Arrays], name: str) -> NDArray[Any]:
    return np.concatenate([part[name] for part in parts])


def _with_results(ctx: skint.Context) -> tuple[str, ...]:
    """Entries with results; without those that an earlier `better` among them compared."""
    found, compared = [], set()
    for entry in ctx.task.inputs:
        folders = ctx.group(entry)
        if len(folders) == 1 and (folders[0] / CHOICE).is_file():
            compared |= set(read_choice(folders[0])["entries"])
        if all((folder / name).is_file() for folder in folders for name in (RESULT, PREDICTIONS)):
            found.append(entry)
    return tuple(name for name in found if name not in compared)


def _read(ctx: skint.Context, name: str) -> Entrant:
    folders = kept_folders(ctx, name)
    results = []
    for folder in folders:
        try:
            result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
            # JSON has no NaN: null stands for what was not finite.
            score = math.nan if result["score"] is None else float(result["score"])
            results.append((str(result["metric"]), score, int(result["n"])))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BetterError(
                f"{name} has no result to compare",
                where=str(folder / RESULT),
                got=f"{type(error).__name__}: {error}",
                wanted='{"metric": …, "score": …, "n": …}, as `train` writes it',
            ) from error
    metrics = sorted({metric for metric, _score, _n in results})
    if len(metrics) > 1:
        raise BetterError(
            f"the jobs of {name} have different metrics", got=", ".join(metrics), where="better"
        )
    scores, counts = (tuple(column) for column in zip(*(r[1:] for r in results), strict=True))
    return Entrant(name, folders, metrics[0], scores, counts)


def _check_same(one: Entrant, other: Entrant) -> None:
    """Raise BetterError unless both judged the same rows, fold by fold, by the same metric."""
    names = f"{one.name} and {other.name}"
    if one.metric != other.metric:
        raise BetterError(
            f"{names} are judged by different metrics",
            where="better",
            got=f"{one.metric} and {other.metric}",
            next="give both the same `monitor`",
        )
    if len(one.folders) != len(other.folders):
        raise BetterError(
            f"{names} have different numbers of folds",
            where="better",
            got=f"{len(one.folders)} and {len(other.folders)}",
            wanted="the same folds for both, one job for each: no `matrix`",
        )
    for fold, (mine, theirs) in enumerate(zip(one.predictions, other.predictions, strict=True)):
        if not np.array_equal(np.sort(mine["ids"]), np.sort(theirs["ids"])):
            raise BetterError(
                f"{names} did not hold out the same pictures in fold {fold}",
                where="better",
                got=f"{len(mine['ids'])} and {len(theirs['ids'])} rows",
                wanted="trainings that need the same `folds`",
            )
        for name in (n for n in mine if n.rpartition(".")[2] == "target" and n in theirs):
            if not _agree(mine, theirs, name):
                raise BetterError(
                    f"{names} were trained on different labels",
                    where="better",
                    got=f"fold {fold}, {name}",
                )


def _agree(mine: Arrays, theirs: Arrays, name: str) -> bool:
    left, right = mine[name][np.argsort(mine["ids"])], theirs[name][np.argsort(theirs["ids"])]
    return left.shape == right.shape and np.array_equal(
        left, right, equal_nan=left.dtype.kind == "f"
    )


def _read_arrays(file: Path) -> Arrays:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        found["ids"]
    except (KeyError, ValueError, OSError) as error:
        raise BetterError(
            "these predictions cannot be read",
            where=str(file),
            got=f"{type(error).__name__}: {error}",
            wanted="ids and what was predicted, as `train` writes them",
        ) from error
    return found
