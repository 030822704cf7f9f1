"""The sample submission: which ids in which order, in which columns, with which cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.scan.names import names_like
from jobs.scan.submission import read_submission
from jobs.scan.tables import open_table
from skint.dataset import Sample
from skint.errors import SkintError

LISTED = 3
"""Names that an error lists."""


class WrongSubmission(SkintError):
    """The sample submission does not fit the pictures or the networks."""


@dataclass(frozen=True)
class SampleFile:
    path: Path
    id: str
    """The column of the ids."""
    header: tuple[str, ...]
    """All columns, in order."""
    cells: Mapping[str, tuple[str, ...]]
    """Those of `columns` by id, in the order of the file."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What is to be filled."""
        return tuple(name for name in self.header if name != self.id)

    def column(self, name: str) -> list[str]:
        place = self.columns.index(name)
        return [cells[place] for cells in self.cells.values()]


def read_sample(path: Path, id_column: str) -> SampleFile:
    """Raises TableError, and SubmissionError where an id is missing or stands there twice."""
    found = read_submission(path, id_column)
    table = open_table(path)
    for name in found.columns:
        table.need(name)
    cells = {
        row[found.id]: tuple(row[name] for name in found.columns) for _where, row in table.rows()
    }
    return SampleFile(path, found.id, table.columns, cells)


def rows_of(
    sample: SampleFile, samples: Sequence[Sample], *, missing_allowed: bool
) -> dict[str, int | None]:
    """The place in `samples` of each id; None of one without a picture, where that is allowed.

    Ids are names of samples; else what their paths have in common with the ids, as `a` or `a.jpg`
    for `test/a.jpg`. Raises WrongSubmission where an id has no picture, or two.
    """
    ids = set(sample.cells)
    names: Sequence[str] = [one.name for one in samples]
    if not ids & set(names):
        names = names_like([one.path for one in samples], ids) or names
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in ids and name in places:
            raise WrongSubmission(
                "two pictures have the same id of the sample submission",
                where=str(sample.path),
                got=f"{name}: {samples[places[name]].path} and {samples[place].path}",
                next="let `scan` name the pictures: give it `sample_submission`",
            )
        places[name] = place
    lacking = [one for one in sample.cells if one not in places]
    if lacking and (not missing_allowed or len(lacking) == len(ids)):
        raise WrongSubmission(
            f"{len(lacking):,} of {len(ids):,} ids of the sample submission have no picture",
            where=str(sample.path),
            got=first_of(lacking),
            wanted=f"names of pictures, like {first_of(sorted(set(names) - ids) or names, 1)}",
            next="`id` names the column of the ids, if it is not the first"
            if len(lacking) == len(ids)
            else "look at quarantine.csv of `scan`; `on_missing: sample` leaves their cells as in"
            " the sample",
        )
    return {one: places.get(one) for one in sample.cells}


def first_of(names: Sequence[str], most: int = LISTED) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
