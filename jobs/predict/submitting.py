"""`submission.csv`: the answers in the form of the sample submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.predict.answer import Answer
from jobs.predict.columns import Column, filled
from jobs.predict.sample_file import SampleFile
from skint.table import write_rows


def write_submission(
    path: Path,
    sample: SampleFile,
    columns: Sequence[Column],
    places: Mapping[str, int | None],
    answers: Mapping[str, Answer],
) -> None:
    """One row for each id in the sample's order, its columns in the sample's order."""

    def row(one: str) -> list[str]:
        place = places[one]
        cells = sample.cells[one] if place is None else filled(columns, answers, place)
        by_name = {sample.id: one, **dict(zip(sample.columns, cells, strict=True))}
        return [by_name[name] for name in sample.header]

    write_rows(path, sample.header, map(row, places))
