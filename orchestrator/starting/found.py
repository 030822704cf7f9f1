"""What `skint init` has found in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.starting.columns import Guess
from orchestrator.starting.parts import Role


@dataclass(frozen=True)
class PictureSet:
    """A folder of pictures with one purpose."""

    role: Role
    folder: str
    """Relative to the root; empty for the root itself."""
    count: int
    bytes: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    """Pictures by class folder."""
    beside: tuple[str, ...] = ()
    """Names of folders in it that are no classes."""
    table: str = ""
    """A table that names its pictures, where its folder has others too."""
    path: str = ""
    """Of that table: how the pictures are called in it."""


@dataclass(frozen=True)
class Heads:
    """What the headers of some pictures say; sizes as they are stored."""

    looked_at: int
    of: int
    least_px: tuple[int, int] = (0, 0)
    """Width and height of the smallest."""
    most_px: tuple[int, int] = (0, 0)
    short_px: int = 0
    """The median of the shorter sides."""
    ratio: float = 1.0
    """The median of longer by shorter side."""
    channels: int = 3
    """Once packed: 3 of photos, else the bands."""
    dtype: str = "uint8"
    mixed: str = ""
    """What differs from that, as a sentence; empty where all are alike."""
    gaps: bool = False
    """Pixels without a measurement (NaN) were seen."""
    broken: tuple[tuple[str, str], ...] = ()
    """(path, reason)."""

    @property
    def bands(self) -> bool:
        return self.channels != 3 or self.dtype != "uint8"

    @property
    def sampled(self) -> bool:
        return self.looked_at < self.of


@dataclass(frozen=True)
class Labels:
    """A table that says what the pictures show."""

    table: str
    """Relative to the root."""
    separator: str
    source: str
    """The folder that its paths count from, relative to the root."""
    path: str
    """As `scan` takes it: a column, or a template over columns."""
    id: str
    """The column of the names; empty where that is the path."""
    rows: int
    missing: int
    """Rows without a picture."""
    missing_like: str = ""
    unlisted: int = 0
    """Pictures of `source` that no row names."""
    guesses: tuple[Guess, ...] = ()
    """Columns that could be learnt, likeliest first."""
    ignored: tuple[str, ...] = ()
    """Columns that could not."""
    group: str = ""
    groups: int = 0
    fold: str = ""
    folds: int = 0
    spread: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By guess and by column of groups or folds: how many of them the rarest class stands in."""


@dataclass(frozen=True)
class Sample:
    """A sample submission."""

    path: str
    """Relative to the root."""
    id: str
    columns: tuple[str, ...]
    rows: int
    cells: tuple[str, ...] = ()
    """Different cells of its first column, some of them."""
    unknown: int = 0
    """Ids without a picture."""
    unknown_like: str = ""


@dataclass(frozen=True)
class Found:
    root: Path
    train: PictureSet
    heads: Heads
    others: tuple[PictureSet, ...] = ()
    """To judge by (`val`) or to be predicted (`test`)."""
    labels: Labels | None = None
    sample: Sample | None = None
    masks: tuple[str, int] | None = None
    """A folder of masks, and how many there are."""
    unread: Mapping[str, int] = field(default_factory=dict)
    doubled: int = 0
    """Names of files that stand in more than one folder of those that train."""
    deeper: tuple[str, ...] = ()
    """Names of folders that stand in every class folder: perhaps they are the classes."""
