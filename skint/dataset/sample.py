"""One picture of a packed set: a row of `samples.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from skint.dataset.error import DatasetError
from skint.dataset.target import Target
from skint.table import integer, read_rows, write_rows

SAMPLES = "samples.csv"
FIXED_COLUMNS = ("id", "name", "path", "page", "group", "sha256", "width", "height")
"""Followed by one column a target, under the target's own name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture; `id` is also its row in the pixels."""

    id: int
    name: str
    """What it is called in tables and submissions."""
    path: str
    """Of the source file, relative to the scanned folder, with `/`."""
    page: int = 0
    """Of a file with several pictures, from 0."""
    group: str = ""
    """What must not be split over folds, e.g. a patient; empty where there is none."""
    sha256: str = ""
    """Of the source file."""
    width: int = 0
    """Of the source picture in pixels, upright."""
    height: int = 0
    targets: Mapping[str, str] = field(default_factory=dict)
    """The cell of each target, by the target's name; see `Target`."""
    label_target: str = "label"
    """The target that `label` reads: the set's first of kind `class`."""

    @property
    def label(self) -> str:
        """The class by name, of the first target of kind `class`; empty where there is none."""
        return self.targets.get(self.label_target, "")


def label_target(targets: Sequence[Target]) -> str:
    """The name of the first target of kind `class`; empty where there is none."""
    return next((target.name for target in targets if target.kind == "class"), "")


def read_samples(path: Path, targets: Sequence[Target]) -> Iterator[Sample]:
    """Rows of a `samples.csv`; raises DatasetError where it is not one or ids are not 0..N-1."""
    names = tuple(target.name for target in targets)
    label = label_target(targets)
    for number, row in enumerate(read_rows(path, (*FIXED_COLUMNS, *names))):
        where = f"{path}:{number + 2}"
        if row["id"] != str(number):
            raise DatasetError(
                "ids must count up from 0",
                where=where,
                got=row["id"],
                wanted=str(number),
            )
        yield replace(sample_of(row, number, names, where), label_target=label)


def sample_of(row: Mapping[str, str], number: int, targets: Iterable[str], where: str) -> Sample:
    """A row of a table that has these columns, as the sample of that number.

    Raises TableError where a number is none.
    """
    return Sample(
        id=number,
        name=row["name"],
        path=row["path"],
        page=integer(row, "page", where),
        group=row["group"],
        sha256=row["sha256"],
        width=integer(row, "width", where),
        height=integer(row, "height", where),
        targets={name: row[name] for name in targets},
    )


def write_samples(path: Path, samples: Iterable[Sample], targets: Sequence[Target]) -> None:
    """Write `samples.csv`; a target that a sample says nothing about gets an empty cell."""
    names = tuple(target.name for target in targets)
    write_rows(
        path,
        (*FIXED_COLUMNS, *names),
        (
            [
                *(getattr(sample, column) for column in FIXED_COLUMNS),
                *(sample.targets.get(name, "") for name in names),
            ]
            for sample in samples
        ),
    )
