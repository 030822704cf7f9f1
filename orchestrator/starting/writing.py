"""The text of a plan, with a comment on every line that says something."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from orchestrator.starting.choosing import Choice, in_words
from orchestrator.starting.columns import Guess
from orchestrator.starting.found import Found, Labels, PictureSet

COMMENTS_AT = 44
"""The column where comments begin; what is longer has its own above it."""
_PLAIN = re.compile(r"([A-Za-z_/]|\.\.?/)[\w./ -]*[\w/]|[A-Za-z_]")
_FAR = os.path.join("..", "..")  # noqa: PTH118  # a Path has no such beginning
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))

PACKED = "packed"
"""The entry whose pictures are trained on."""
Line = tuple[int, str, str]
"""Depth, `key: value`, comment."""


def plan_text(found: Found, choice: Choice, folder: Path) -> str:
    """The plan as a file in `folder`: paths count from there."""
    return "\n".join(_drawn(_Writer(found, choice, folder).lines())) + "\n"


def quoted(text: str) -> str:
    """A YAML scalar that is read as this text, and nothing else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, names))}]"


def _drawn(lines: Iterator[Line]) -> Iterator[str]:
    for depth, text, comment in lines:
        line = "  " * depth + text
        if not text:
            yield f"{'  ' * depth}# {comment}" if comment else ""
        elif not comment:
            yield line
        elif len(line) < COMMENTS_AT:
            yield f"{line.ljust(COMMENTS_AT)}# {comment}"
        else:
            yield f"{'  ' * depth}# {comment}"
            yield line


class _Writer:
    def __init__(self, found: Found, choice: Choice, folder: Path) -> None:
        self._found, self._choice, self._folder = found, choice, folder
        self._needed = PACKED
        """The entry that has the pixels so far."""

    def lines(self) -> Iterator[Line]:
        choice, means = self._choice, self._choice.means
        yield 0, "", "Written by `skint init`. It runs as it is; change what you like."
        yield 0, "", "docs/plan.md has every key, docs/jobs.md every job and its parameters."
        yield 0, "", ""
        yield 0, f"name: {quoted(choice.name)}", f"runs are called {choice.name}-1, -2, …"
        kind = "simulated hours, to practise on the CPU" if means.practice else "hours count here"
        yield 0, f"account: {quoted(means.account)}", f"{kind}; skint budget shows them"
        yield 0, "", ""
        yield 0, "jobs:", ""
        yield 1, "scan:", "CPU: opens every file once, lists what is broken or occurs twice"
        yield 2, "uses: scan", ""
        yield 2, "with:", ""
        yield from self._source()
        yield from self._packed(PACKED, "scan")
        yield from self._cut_down()
        yield from self._folds()
        yield from self._train()
        yield 1, "errors:", "CPU: confusion and the costliest mistakes, while the next fold trains"
        yield 2, "uses: errors", ""
        yield 2, "needs: [train]", ""
        yield 1, "card:", "CPU: a page about the model, to hand on with it"
        yield 2, "uses: card", ""
        yield 2, "needs: [train]", ""
        names: set[str] = set()
        for one in choice.predicted:
            more = (f"{one.role}{number}" for number in count(2))
            name = one.role if one.role not in names else next(n for n in more if n not in names)
            names.add(name)
            yield from self._predicted(name, one)

    def _source(self) -> Iterator[Line]:
        labels, train = self._found.labels, self._found.train
        if labels is None:
            yield 3, f"source: {self._path(train.folder)}", "counts from this file's folder"
            if train.beside:
                pattern = "^(" + "|".join(map(re.escape, train.classes)) + ")/"
                yield 3, f"labels: {quoted(pattern)}", "these folders are classes, others are not"
            else:
                yield 3, "labels: first", "the first folder of a path is the class"
            return
        yield 3, f"source: {self._path(labels.source)}", "paths in the table count from here"
        yield 3, f"table: {self._path(labels.table)}", f"{labels.rows:,} rows, a picture each"
        yield from self._columns(labels)
        yield 3, "targets:", "what is learnt"
        for guess in self._choice.targets:
            yield 4, f"{guess.name}: {_target(guess)}", _said_of(guess)
        others = [one for one in labels.guesses if one not in self._choice.targets]
        for guess in others[:5]:
            yield 4, "", f"{guess.name}: {_target(guess)}   could be learnt too: {guess.about}"

    def _columns(self, labels: Labels) -> Iterator[Line]:
        if labels.path != "path":
            yield 3, f"path: {quoted(labels.path)}", "how a row names its picture"
        if labels.id:
            yield 3, f"id: {quoted(labels.id)}", "what pictures are called in results"
        if self._choice.group:
            yield 3, f"group: {quoted(self._choice.group)}", "pictures of one group stay together"

    def _packed(self, name: str, scan: str) -> Iterator[Line]:
        choice, heads = self._choice, self._found.heads
        same = heads.least_px == heads.most_px == (choice.size_px, choice.size_px)
        why = "as they are" if same else f"their shorter sides have about {heads.short_px}"
        yield 1, f"{name}:", "CPU: decodes and resizes once, so that no epoch does it again"
        yield 2, "uses: resize", ""
        yield 2, f"needs: [{scan}]", ""
        yield 2, "with:", ""
        told = f"pixels a side; {why}"
        if name != PACKED:
            told = f"that of `{PACKED}`, to be changed with it: the network knows no other"
        yield 3, f"size: {choice.size_px}", told
        if choice.pad:
            yield 3, "mode: pad", "the whole picture on a square: they are long, `crop` would cut"

    def _cut_down(self) -> Iterator[Line]:
        choice = self._choice
        if choice.reduce:
            yield 1, "channels:", "CPU: bands to three channels; pixels without a value become 0"
            yield 2, "uses: pca", ""
            yield 2, f"needs: [{self._needed}]", ""
            yield 2, "with: {k: 3}", ""
            self._needed = "channels"
        if not (choice.keep or choice.per_class or choice.share):
            return
        yield 1, "part:", "CPU: a smaller set; take this entry out to train on all of it"
        yield 2, "uses: subset", ""
        yield 2, f"needs: [{self._needed}]", ""
        yield 2, "with:", ""
        if choice.keep:
            yield 3, f"classes: {_listed(choice.keep)}", "those with more than one picture"
        if choice.per_class:
            yield 3, f"per_class: {choice.per_class}", "at most, since practice is on the CPU"
        if choice.share:
            yield 3, f"share: {choice.share:g}", "since practice is on the CPU"
        self._needed = "part"

    def _folds(self) -> Iterator[Line]:
        choice = self._choice
        yield 1, "folds:", "CPU: who trains and who judges; classes are spread evenly"
        yield 2, "uses: folds", ""
        yield 2, f"needs: [{self._needed}]", ""
        yield 2, "with:", ""
        yield 3, f"k: {choice.folds}", "every picture judges once and trains in the other folds"
        if choice.given_folds:
            yield 3, "group: true", "so that the folds are those of the table"
        elif choice.group:
            yield 3, "group: true", "a group trains or judges, never both"
        yield 3, "seed: 0", "the same split every time"

    def _train(self) -> Iterator[Line]:
        choice = self._choice
        yield 1, "train:", "accelerator: the only entry that is charged"
        yield 2, "uses: train", ""
        yield 2, "needs: [folds]", ""
        yield 2, "per: fold", "one job for each fold, one after the other"
        yield 2, "devices: 1", ""
        yield (
            2,
            f"limit: {in_words(choice.limit_ms)}",
            "set aside for a fold, then what it took is charged",
        )
        if choice.metric:
            yield 2, f"metric: val_{choice.metric}", "what screens show"
        yield 2, "stop: [broken, chance, beats-baseline]", "ends what goes wrong: docs/stopping.md"
        yield 2, "with:", "the recipe: docs/training.md"
        yield 3, f"model: {choice.model}", "or any of timm and torchvision"
        start = "ImageNet, from a package" if choice.weights != "none" else "from scratch"
        yield 3, f"weights: {choice.weights}", start
        if choice.freeze:
            yield 3, "freeze: backbone", "only the last layer learns, which a CPU can do"
            yield 3, "lr: 0.003", "the highest of the schedule"
        yield 3, f"epochs: {choice.epochs}", "passes over the pictures"
        yield 3, f"batch_size: {choice.batch}", "pictures a step"
        flips = "mirrored at random" if choice.augment else "a mirror would change what they show"
        yield 3, f"augment: {'flip' if choice.augment else 'none'}", flips
        yield 3, "precision: auto", "half precision where the device has it"
        if choice.balanced:
            yield 3, "class_weights: balanced", "some classes have far more pictures than others"
        if choice.metric:
            yield 3, f"metrics: [{choice.metric}]", "measured each epoch beside the usual ones"
            yield 3, f"monitor: val_{choice.metric}", "which epoch is the best"

    def _predicted(self, name: str, one: PictureSet) -> Iterator[Line]:
        choice = self._choice
        labelled = bool(one.classes)
        about = "with labels: they judge all folds together" if labelled else "to be predicted"
        yield 1, f"{name}:", f"CPU: {one.count:,} pictures {about}"
        yield 2, "uses: scan", ""
        yield 2, "needs: [scan]", "same numbers of classes; tells what was trained on"
        yield 2, "with:", ""
        yield 3, f"source: {self._path(one.folder)}", ""
        sample = choice.sample if one.role == "test" else None
        if one.table:
            yield 3, f"table: {self._path(one.table)}", "which of the pictures"
            if one.path != "path":
                yield 3, f"path: {quoted(one.path)}", ""
            if sample is not None:
                yield 3, f"id: {quoted(sample.id)}", ""
        if not labelled:
            yield 3, "labels: none", "nothing is known of them"
        if sample is not None:
            yield 3, f"sample_submission: {self._path(sample.path)}", "its ids name the pictures"
        pixels = f"{name}-packed"
        yield from self._packed(pixels, name)
        if choice.reduce:
            yield 1, f"{name}-channels:", "CPU: the same three channels"
            yield 2, "uses: pca", ""
            yield 2, f"needs: [{pixels}, channels]", ""
            yield 2, "with: {fitted: channels}", ""
            pixels = f"{name}-channels"
        yield 1, f"{name}-predict:", "CPU: the mean of all folds; `devices: 1` takes an accelerator"
        yield 2, "uses: predict", ""
        yield 2, f"needs: [train, {pixels}]", ""
        if sample is not None:
            yield 2, "with:", ""
            yield 3, f"submission: {self._path(sample.path)}", "submission.csv is written like it"
            if choice.cells:
                yield 3, f"cells: {choice.cells}", f"what stands in {sample.columns[0]}"

    def _path(self, inside: str) -> str:
        there = self._found.root / inside
        near = os.path.relpath(there, self._folder)
        return quoted(str(there) if near.startswith(_FAR) else Path(near).as_posix())


def _target(guess: Guess) -> str:
    parts: dict[str, str] = {"kind": guess.kind}
    if guess.columns:
        parts["columns"] = _listed(guess.columns)
    elif guess.column != guess.name:
        parts["column"] = quoted(guess.column)
    if guess.split and guess.split != "|":
        parts["split"] = quoted(guess.split)
    return guess.kind if len(parts) == 1 else _flow(parts)


def _flow(parts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in parts.items())}}}"


def _said_of(guess: Guess) -> str:
    if guess.columns:
        return f"{guess.about}, a column of 0 and 1 for each"
    return f"the column {guess.said_in}: {guess.about}"
