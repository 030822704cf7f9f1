"""What the columns of a table could mean: classes, labels, numbers, groups, folds. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.scan.scanned import TAKEN
from jobs.scan.targets import UNKNOWN_VALUES

MOST_CLASSES = 1_000
FEW_NUMBERS = 30
"""Whole numbers with at most so many different values are classes: grades, species by number."""
LABEL_OFTEN = 3
"""Pictures of a label, on average: words that each occur once are text."""
LABEL_MARKS = ("|", ";", ",", " ")
HINT = re.compile(
    r"(?:\w*_)?(?:labels?|class(?:es)?|category|targets?|species|breed|diagnosis|tags?|y)"
    r"(?:_?(?:id|name|names|idx|index|code))?",
    re.IGNORECASE,
)
GROUP = re.compile(
    r"(?:\w*_)?(?:groups?|patients?|subjects?|persons?|owners?|sequence|video|case|lesion|plot"
    r"|field|scene|individual|participant|photographer|author|site|location|station)(?:_?(?:id|no|nr|name))?",
    re.IGNORECASE,
)
FOLD = re.compile(r"k?_?folds?(?:_?(?:id|no))?|cv_?fold", re.IGNORECASE)
SPLIT = re.compile(r"splits?|subset|partition|set|is_train|usage", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_NAME = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True)
class Guess:
    """A target that a column, or several, could be."""

    name: str
    """As the target is called."""
    kind: str
    """`class`, `multilabel` or `value`."""
    column: str = ""
    columns: tuple[str, ...] = ()
    split: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Pictures by class or label."""
    known: int = 0
    """Rows in which it is not empty."""

    @property
    def said_in(self) -> str:
        """The column, for a person."""
        if self.columns:
            return f"{self.columns[0]} … {self.columns[-1]}"
        return self.column

    @property
    def hinted(self) -> bool:
        """Whether the column is called like something to learn."""
        return HINT.fullmatch(self.column) is not None

    def asked_in(self, columns: Sequence[str]) -> bool:
        """Whether a submission with these columns asks for it."""
        own = self.columns or (self.column,)
        return set(own) <= set(columns) or (len(columns) > 1 and set(self.counts) == set(columns))

    @property
    def about(self) -> str:
        nouns = {"class": "classes", "multilabel": "labels"}
        return f"{len(self.counts):,} {nouns[self.kind]}" if self.kind in nouns else "numbers"


def target_name(column: str) -> str:
    """A name that a target may have."""
    name = re.sub(r"[^\w-]+", "_", column, flags=re.ASCII).strip("_")
    name = name if _NAME.fullmatch(name) else f"target_{name}".rstrip("_")
    return f"my_{name}" if name in TAKEN else name


def guess_of(column: str, cells: Sequence[str]) -> Guess | None:
    """What a column could teach; None where it cannot be learnt from."""
    known = [cell for cell in cells if cell.lower() not in UNKNOWN_VALUES]
    counts = Counter(known)
    if len(counts) < 2:
        return None
    name = target_name(column)
    if all(_is_number(cell) for cell in counts):
        whole = all(float(cell).is_integer() for cell in counts)
        if whole and len(counts) <= FEW_NUMBERS and len(known) >= 2 * len(counts):
            return Guess(name, "class", column, counts=counts, known=len(known))
        return Guess(name, "value", column, known=len(known))
    if all(_DATE.match(cell) for cell in counts):
        return None
    for mark in LABEL_MARKS:
        labels = _labels(counts, mark)
        if labels:
            return Guess(name, "multilabel", column, split=mark, counts=labels, known=len(known))
    repeated = sum(count for count in counts.values() if count > 1)
    if len(counts) <= MOST_CLASSES and 2 * repeated >= len(known):
        return Guess(name, "class", column, counts=counts, known=len(known))
    return None


def one_column_each(table: Mapping[str, Sequence[str]], among: Sequence[str]) -> Guess | None:
    """Columns of 0 and 1, one a class; None where there are too few to say."""
    hot = [name for name in among if {_bit(cell) for cell in table[name]} <= {"0", "1"}]
    counts = {name: sum(_bit(cell) == "1" for cell in table[name]) for name in hot}
    hot = [name for name in hot if counts[name]]
    if len(hot) < 3:
        return None
    rows = zip(*(table[name] for name in hot), strict=True)
    sums = [sum(_bit(cell) == "1" for cell in row) for row in rows]
    one = all(count == 1 for count in sums)
    kind, name = ("class", "label") if one else ("multilabel", "labels")
    return Guess(
        name, kind, columns=tuple(hot), counts={n: counts[n] for n in hot}, known=len(sums)
    )


def likeliest(guesses: Sequence[Guess], asked: Sequence[str] = ()) -> list[Guess]:
    """In the order of how likely they are meant; `asked` are the columns of a submission."""

    def rank(guess: Guess) -> tuple[bool, bool, bool, int]:
        numbered = all(_is_number(name) for name in guess.counts)
        order = ("class", "multilabel", "value").index(guess.kind)
        return (
            not guess.asked_in(asked),
            not guess.hinted,
            numbered and not guess.columns,
            order,
        )

    return sorted(guesses, key=rank)


def same_classes(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns say the same in other words: a name and its number."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def _labels(counts: Counter[str], mark: str) -> Counter[str] | None:
    """The labels between `mark`, if that is what the cells are: fewer than there are cells."""
    if not any(mark in cell for cell in counts):
        return None
    labels: Counter[str] = Counter()
    for cell, count in counts.items():
        for label in {part.strip() for part in cell.split(mark)} - {""}:
            labels[label] += count
    # Words of a name make more words than names; labels are fewer than their combinations.
    alone = sum(cell in labels for cell in counts)
    fewer = len(labels) < len(counts) or (mark != " " and alone > 0)
    often = sum(labels.values()) >= LABEL_OFTEN * len(labels)
    return labels if fewer and often and 1 < len(labels) <= MOST_CLASSES else None


def _bit(cell: str) -> str:
    return {"1.0": "1", "true": "1", "0.0": "0", "false": "0"}.get(cell.lower(), cell)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
