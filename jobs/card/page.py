"""The words of a card, in Markdown."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jobs.card.trained import Trained
from jobs.training.recipe.recipe import Recipe
from skint.dataset import PackedSet

CLASSES = 40
"""Classes whose counts are listed; the rarest of more are left out."""


def page(title: str, trained: Sequence[Trained], data: PackedSet | None) -> str:
    """The whole card. The same files, the same words: no times and no machines."""
    first = trained[0]
    recipe = first.model.get("recipe", {})
    count = f"{len(trained)} fold{'s' * (len(trained) > 1)}"
    parts = [f"# {plain(title or ', '.join([recipe.get('model', 'training'), count]))}\n"]
    parts += _results(trained)
    parts.append("![learning curves of all folds](curves.png)\n")
    if data is not None:
        parts += _data(data, trained)
    if recipe:
        parts += _recipe(recipe)
    parts += _conditions(trained)
    return "\n".join(parts)


def hours(trained: Sequence[Trained]) -> str:
    """How long each fold took and on what: true on this machine only."""
    rows = [
        [one.fold, f"{seconds / 3600:.4f}", f"{seconds:.1f}", one.machine.get("device", "–")]
        for one in trained
        if (seconds := one.machine.get("seconds")) is not None
    ]
    if not rows:
        return "The folds were trained elsewhere: their times are there.\n"
    total = sum(float(one.machine.get("seconds", 0)) for one in trained)
    lines = table(["fold", "hours", "seconds", "device"], rows)
    return (
        f"{lines}\nTogether {total / 3600:.3f} hours, from the start of each job to its end. "
        "What was charged is told by `skint show` and `skint budget`.\n"
    )


def table(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, of plain text."""
    lines = ["| " + " | ".join(map(plain, heads)) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(map(plain, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def plain(value: object) -> str:
    """As it is read, whatever it has in it: a class may be called `a|b` or `*`."""
    text = " ".join(str(value).split())
    # An underscore within a word is no mark.
    return re.sub(r"([\\`*<>|#]|\](?=[(\[])|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", text)


def _results(trained: Sequence[Trained]) -> list[str]:
    names = list(dict.fromkeys(name for one in trained for name in measured(one)))
    heads = ["fold", "n", *names, "best epoch"]
    rows: list[list[object]] = [
        [
            one.fold,
            one.result.get("n", "–"),
            *(_number(measured(one).get(name)) for name in names),
            f"{one.result.get('best_epoch', '–')} of {one.result.get('epochs', '–')}",
        ]
        for one in trained
    ]
    if len(trained) > 1:
        total = sum(int(one.result.get("n", 0)) for one in trained)
        rows.append(["all", total, *(_mean(trained, name) for name in names), ""])
    metric = trained[0].result.get("metric", "")
    judged = trained[0].result.get("monitor", metric)
    return [
        "## Result\n",
        table(heads, rows),
        f"Of the epoch with the best {plain(judged)} of each fold, on pictures that it has not "
        "trained on: chosen on the same pictures, so a little flattering. "
        "± is the standard deviation over the folds.\n",
    ]


def measured(one: Trained) -> Mapping[str, Any]:
    """Its metrics, the score first."""
    result = one.result
    score = {result["metric"]: result.get("score")} if "metric" in result else {}
    return {**score, **result.get("metrics", {})}


def _mean(trained: Sequence[Trained], name: str) -> str:
    values = [value for one in trained if (value := measured(one).get(name)) is not None]
    if len(values) < 2:
        return _number(values[0]) if values else "–"
    return f"{_number(statistics.fmean(values))} ± {_number(statistics.stdev(values))}"


def _data(data: PackedSet, trained: Sequence[Trained]) -> list[str]:
    count, height, width, channels = data.meta.shape
    features = (height, width) == (1, 1)
    size = (
        f"{channels:,} features" if features else f"{width} × {height} pixels, {channels} channels"
    )
    learnt = trained[0].model.get("targets") or []
    parts = [
        "## Data\n",
        f"{count:,} samples, {size} of {data.meta.dtype}.\n",
    ]
    if made := _made(data.meta.made_by):
        parts.append(f"Made by {made}.\n")
    rows = [
        [one.fold, samples.get("train", "–"), samples.get("validation", "–")]
        for one in trained
        if (samples := one.training.get("samples"))
    ]
    if rows:
        parts.append(table(["fold", "trains on", "is judged on"], rows))
    names = [str(target["name"]) for target in learnt if target.get("kind") == "class"]
    for name in names:
        parts.append(_classes(data, name))
    if digest := trained[0].model.get("dataset_sha256"):
        parts.append(f"SHA-256 of `dataset.json`: `{digest}`\n")
    return parts


def _classes(data: PackedSet, name: str) -> str:
    labels = data.labels(name)
    classes = next(target.classes for target in data.meta.targets if target.name == name)
    counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    order = sorted(range(len(classes)), key=lambda row: (-counts[row], row))
    rows = [[classes[row], int(counts[row])] for row in order[:CLASSES]]
    rest = order[CLASSES:]
    if rest:
        rows.append([f"{len(rest)} more classes", int(counts[rest].sum())])
    if unknown := int((labels < 0).sum()):
        rows.append(["of no known class", unknown])
    return table([name, "samples"], rows)


def _made(made_by: Any) -> str:
    """`resize (size 128), from scan`: the jobs from the last to the first."""
    said = []
    while isinstance(made_by, Mapping) and made_by.get("job"):
        params = made_by.get("params") or {}
        told = ", ".join(f"{n} {_said(value)}" for n, value in params.items() if value is not None)
        said.append(plain(str(made_by["job"]) + (f" ({told})" if told else "")))
        made_by = made_by.get("from")
    return ", from ".join(said)


def _recipe(recipe: Mapping[str, Any]) -> list[str]:
    usual = Recipe().model_dump(mode="json")
    stages = recipe.get("stages") or []
    recipe = {name: value for name, value in recipe.items() if name != "stages"}
    if stages:  # they have epochs of their own
        recipe.pop("epochs", None)
    changed = {name: value for name, value in recipe.items() if value != usual.get(name)}
    rows = [[name, _said(value)] for name, value in changed.items()]
    rows += [[f"stage {number}", _stage(stage)] for number, stage in enumerate(stages, start=1)]
    parts = ["## Recipe\n"]
    if rows:
        parts.append(table(["field", "value"], rows))
    rest = (f"{name} {_said(value)}" for name, value in recipe.items() if name not in changed)
    parts.append(f"As usual: {plain(', '.join(rest))}.\n")
    return parts


def _stage(stage: Mapping[str, Any]) -> str:
    """All that it says for itself, also that something is off: `mixup 0`."""
    told = {name: value for name, value in stage.items() if value is not None and value != ""}
    return ", ".join(f"{name} {_said(value)}" for name, value in told.items())


def _said(value: Any) -> str:
    """A value of the recipe; of a group of fields those that do something."""
    if isinstance(value, Mapping):
        told = {name: one for name, one in value.items() if one not in (None, False, 0, "")}
        return ", ".join(f"{name} {_said(one)}" for name, one in told.items()) or "none"
    if isinstance(value, list):
        return f"[{', '.join(map(_said, value))}]" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value in (None, "") else str(value)


def _conditions(trained: Sequence[Trained]) -> list[str]:
    first = trained[0].training
    parts = []
    if first:
        versions = ", ".join(f"{name} {of}" for name, of in first.get("versions", {}).items())
        seed = trained[0].model.get("recipe", {}).get("seed", "–")
        parts += [
            "## Made with\n",
            f"{plain(versions)}; precision {first.get('precision', '–')}; seed {seed}.\n",
        ]
    remarks = dict.fromkeys(
        (one.fold, remark) for one in trained for remark in one.training.get("remarks", ())
    )
    if remarks:
        told: dict[str, list[int]] = {}
        for fold, remark in remarks:
            told.setdefault(remark, []).append(fold)
        parts.append("## Remarks\n")
        parts += [
            f"- {plain(remark)} (fold {', '.join(map(str, folds))})"
            for remark, folds in told.items()
        ]
        parts.append("")
    return parts


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}"
