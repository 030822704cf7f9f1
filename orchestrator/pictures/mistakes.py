"""Which validation pictures of a fold are shown, and how they are told in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.errors.confusion import Predictions, costliest

ALT_TEXT_CHARS = 800
"""Services cut longer ones."""
_NAME_CHARS = 32


@dataclass(frozen=True)
class Shown:
    """One picture of the grid."""

    id: int
    """Row of the packed set."""
    true: str
    told: str
    probability: float
    """Of the class that was told."""

    @property
    def right(self) -> bool:
        return self.true == self.told


@dataclass(frozen=True)
class Chosen:
    """What the grid shows of a fold, and how many it has."""

    shown: tuple[Shown, ...]
    """The costliest mistakes, then what was right by the narrowest margin."""
    wrong: int
    pictures: int


def choose(predictions: Predictions, classes: Sequence[str], count: int) -> Chosen:
    """At most `count` pictures of one fold; its probabilities are finite."""
    told, true = predictions.predicted, predictions.target
    sure, ids = predictions.probabilities.max(axis=1, initial=0.0), predictions.ids
    right = np.flatnonzero(told == true)
    narrow = right[np.lexsort((ids[right], sure[right]))].tolist()
    rows = [*costliest(predictions, count), *narrow][:count]
    shown = tuple(
        Shown(int(ids[n]), classes[true[n]], classes[told[n]], float(sure[n])) for n in rows
    )
    return Chosen(shown, len(ids) - len(right), len(ids))


def in_words(chosen: Chosen) -> str:
    """The grid for those who cannot see it: how many are wrong, and the mistakes, worst first."""
    head = f"{chosen.wrong:,} of {chosen.pictures:,} validation pictures are wrong"
    mistakes = [one for one in chosen.shown if not one.right]
    if not mistakes:
        return f"{head}. Shown are those that were right by the narrowest margin."
    text, place = f"{head}. The worst:", 0
    for place, one in enumerate(mistakes, 1):
        more = f" {place}. {_name(one.true)} taken for {_name(one.told)} ({percent(one)});"
        if len(text) + len(more) > ALT_TEXT_CHARS:
            return f"{text} and {len(mistakes) - place + 1} more."
        text += more
    rest = len(chosen.shown) - place
    return f"{text[:-1]}." + (f" The other {rest} shown are right." if rest else "")


def percent(one: Shown) -> str:
    """How sure it was, never "100 %" of what it was not."""
    return ">99 %" if 0.995 <= one.probability < 1 else f"{100 * one.probability:.0f} %"


def _name(text: str) -> str:
    return text if len(text) <= _NAME_CHARS else f"{text[: _NAME_CHARS - 1]}…"
