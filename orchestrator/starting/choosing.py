"""What to do with what was found: size, network, epochs, folds, hours. Pure.

Figures of speed are rough, of November 2026, and only bound how long a fold may take: what it does
take is measured by the first run and forecast from then on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from budget.duration import HOUR_MS, MINUTE_MS
from orchestrator.starting.columns import Guess
from orchestrator.starting.found import Found, PictureSet, Sample

SIZES_PX = (32, 48, 64, 96, 128, 160, 192, 224)
LARGEST_PX = {"practice": 128, "device": 224}
LIMITS_MS = tuple(minutes * MINUTE_MS for minutes in (10, 20, 30, 60, 120, 240, 480, 720))
PRACTICE_PICTURES = 3_000
"""Practice on a CPU takes so many: a person wants to see the end of it."""
ROOM = 4
"""A limit is so many times what a fold is guessed to take."""
IMBALANCE = 4
"""The largest class by the smallest, from which accuracy says little."""
ONE_SIDED = re.compile(r"(?:left|right).*|[0-9]|[a-z]", re.IGNORECASE)
"""Names of classes that a mirror would make wrong."""

PER_S = {
    ("practice", "frozen"): 60.0,
    ("practice", "whole"): 10.0,
    ("device", "frozen"): 400.0,
    ("device", "whole"): 120.0,
}
"""Pictures of 224 pixels a second."""


@dataclass(frozen=True)
class Means:
    """What there is to compute with."""

    account: str
    practice: bool
    """A simulated device: training runs on the CPU."""
    weights: bool
    """The package with pretrained weights is installed."""
    free_ms: int | None = None
    """Of the account's unit; None where that is not known."""


@dataclass(frozen=True)
class Choice:
    name: str
    means: Means
    targets: tuple[Guess, ...]
    """Columns of the table that are learnt; empty where folders are the classes."""
    size_px: int
    pad: bool
    reduce: bool
    """Bands with gaps become three channels without."""
    model: str
    weights: str
    freeze: bool
    epochs: int
    batch: int
    augment: bool
    folds: int
    group: str
    """The column whose pictures stay together; empty for none."""
    given_folds: bool
    """That column has the table's own folds."""
    limit_ms: int
    keep: tuple[str, ...] = ()
    """Classes that have enough pictures, where others have not."""
    per_class: int = 0
    """For practice: at most so many pictures of each class."""
    share: float = 0.0
    """The same where there are no classes."""
    metric: str = ""
    balanced: bool = False
    predicted: tuple[PictureSet, ...] = ()
    sample: Sample | None = None
    cells: str = ""

    @property
    def about(self) -> str:
        """For a person, in a line."""
        folds = f"{self.folds} folds" if self.folds > 1 else "one fold"
        start = ", pretrained" if self.weights != "none" else ""
        part = f", {self.per_class} pictures a class" if self.per_class else ""
        return f"{folds}, {self.model}{start} at {self.size_px} px, {self.epochs} epochs{part}"


def choose(
    found: Found,
    means: Means,
    name: str,
    *,
    target: Guess | None = None,
    folds: int | None = None,
) -> Choice:
    """`target` and `folds` are what a person wants instead of what is likeliest."""
    where = "practice" if means.practice else "device"
    targets = _targets(found, target)
    counts = _counts(found, targets)
    keep = _large_enough(counts)
    counts = {one: counts[one] for one in keep} if keep else counts
    pictures = sum(counts.values()) if counts else found.train.count
    per_class, share = _part(pictures, counts, means)
    pictures = min(pictures, PRACTICE_PICTURES) if per_class or share else pictures
    size_px = _size(found, LARGEST_PX[where])
    pretrained = means.weights and not found.heads.bands and size_px >= 64
    group, k = _split(found, targets, counts, folds or (3 if means.practice else 5))
    epochs = (6 if means.practice else 12) if pictures < 30_000 else 6
    sample = found.sample if found.sample and not found.sample.unknown else None
    metric, cells = _asked(targets, counts, sample)
    freeze = pretrained and means.practice
    guess_s = pictures * epochs / PER_S[where, "frozen" if freeze else "whole"]
    guess_s *= (size_px / 224) ** 2
    return Choice(
        name=name,
        means=means,
        targets=targets,
        size_px=size_px,
        pad=found.heads.ratio > 1.5,
        reduce=found.heads.gaps,
        model=_model(found, means, size_px, pretrained),
        weights="package" if pretrained else "none",
        freeze=freeze,
        epochs=epochs,
        batch=_batch(size_px, means, pictures),
        augment=not any(ONE_SIDED.fullmatch(one) for one in counts),
        folds=k,
        group=group,
        given_folds=bool(group) and found.labels is not None and group == found.labels.fold,
        limit_ms=_limit_ms(guess_s, k, means.free_ms),
        keep=keep,
        per_class=per_class,
        share=share,
        metric=metric,
        balanced=_uneven(targets, counts),
        predicted=found.others,
        sample=sample if any(one.role == "test" for one in found.others) else None,
        cells=cells,
    )


def _targets(found: Found, target: Guess | None) -> tuple[Guess, ...]:
    """All that the sample submission asks for; else the likeliest one."""
    if found.labels is None:
        return ()
    if target is not None:
        return (target,)
    asked = found.sample.columns if found.sample else ()
    wanted = tuple(guess for guess in found.labels.guesses if guess.asked_in(asked))
    return wanted or found.labels.guesses[:1]


def _counts(found: Found, targets: Sequence[Guess]) -> Mapping[str, int]:
    """Pictures by class; empty where nothing is learnt that has classes."""
    if found.labels is None:
        return found.train.classes
    return targets[0].counts if targets[0].kind == "class" else {}


def _large_enough(counts: Mapping[str, int]) -> tuple[str, ...]:
    """The classes with two pictures or more, where some have one and at least two have more."""
    large = tuple(name for name, count in counts.items() if count > 1)
    return large if 1 < len(large) < len(counts) else ()


def _part(pictures: int, counts: Mapping[str, int], means: Means) -> tuple[int, float]:
    if not means.practice or pictures <= PRACTICE_PICTURES:
        return 0, 0.0
    if counts:
        return max(10, PRACTICE_PICTURES // len(counts)), 0.0
    return 0, round(PRACTICE_PICTURES / pictures, 4)


def _size(found: Found, largest_px: int) -> int:
    heads = found.heads
    if heads.least_px == heads.most_px and heads.short_px <= largest_px:
        return max(8, heads.short_px)  # kept as they are
    fits = [size for size in SIZES_PX if size <= min(largest_px, heads.short_px)]
    return fits[-1] if fits else max(8, heads.short_px)


def _model(found: Found, means: Means, size_px: int, pretrained: bool) -> str:
    if pretrained:
        return "efficientnet-lite0"
    if means.practice:
        return "resnet10t"
    return "resnet18" if found.heads.bands or size_px < 64 else "efficientnet_b0"


def _batch(size_px: int, means: Means, pictures: int) -> int:
    """The usual one; of a small set so few that an epoch has some steps."""
    usual = 16 if means.practice else 32 if size_px > 128 else 64
    while usual > 4 and usual * 8 > pictures:
        usual //= 2
    return usual


def _split(
    found: Found, targets: Sequence[Guess], counts: Mapping[str, int], folds: int
) -> tuple[str, int]:
    """The column that keeps pictures together, and how many folds there can be."""
    labels = found.labels
    k = max(2, min(folds, min(counts.values(), default=folds)))
    if labels is None:
        return "", k
    for column, many in ((labels.fold, labels.folds), (labels.group, labels.groups)):
        fewest = labels.spread.get((targets[0].name, column), many)
        # A class within one group could never be both trained on and judged by.
        if column and min(many, fewest) > 1:
            return column, many if column == labels.fold else min(k, many, fewest)
    return "", k


def _asked(
    targets: Sequence[Guess], counts: Mapping[str, int], sample: Sample | None
) -> tuple[str, str]:
    """The metric to choose the best epoch by, and what stands in the cells of a submission."""
    if len(targets) > 1:
        return "", ""
    cells = ""
    if sample is not None and len(sample.columns) == 1 and counts:
        whole = all(re.fullmatch(r"-?\d+", cell) for cell in sample.cells)
        if not set(sample.cells) <= set(counts):
            cells = "number" if whole and len(counts) > 2 else "probability"
            cells = cells if len(counts) == 2 or cells == "number" else ""
        elif whole:
            cells = "label"
    if cells == "probability":
        return "auroc", cells
    return ("f1" if _uneven(targets, counts) else ""), cells


def _uneven(targets: Sequence[Guess], counts: Mapping[str, int]) -> bool:
    alone = len(targets) < 2 and len(counts) > 1
    return alone and max(counts.values()) > IMBALANCE * min(counts.values())


def _limit_ms(guess_s: float, folds: int, free_ms: int | None) -> int:
    """What a fold may take: generous, but all of them fit in what is free."""
    wanted_ms = max(30 * MINUTE_MS, round(guess_s * 1000 * ROOM))
    limit_ms = next((ms for ms in LIMITS_MS if ms >= wanted_ms), LIMITS_MS[-1])
    if free_ms is None:
        return limit_ms
    # Beside the limit, a reservation has the grace and what killing takes.
    fits = [ms for ms in LIMITS_MS if folds * (ms + MINUTE_MS) <= free_ms]
    return min(limit_ms, fits[-1] if fits else LIMITS_MS[0])


def in_words(limit_ms: int) -> str:
    """As a plan has it: `2h`, `30m`."""
    if limit_ms % HOUR_MS == 0:
        return f"{limit_ms // HOUR_MS}h"
    return f"{limit_ms // MINUTE_MS}m"
