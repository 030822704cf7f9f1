"""CSV tables as jobs hand them on: a header, UTF-8, LF, nothing half-written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from skint.errors import SkintError


class TableError(SkintError):
    """A table is missing, or not what its reader needs."""


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Rows of a CSV file that has at least `columns`; raises TableError where it has not."""
    if not path.is_file():
        raise TableError("this file is missing", where=str(path))
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise TableError(
                f"the column {missing[0]} is missing",
                where=f"{path}:1",
                got=", ".join(reader.fieldnames or ()) or "an empty file",
                wanted=", ".join(columns),
            )
        for row in reader:
            if None in row or None in row.values():
                raise TableError(
                    "this row has another number of fields than the header",
                    where=f"{path}:{reader.line_num}",
                )
            yield row


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file (UTF-8, LF) under a temporary name, then rename it."""
    temporary = path.with_name(f"{path.name}.partial")
    # File names that are not UTF-8 come back from the disk as surrogates, and go out as they came.
    with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    temporary.replace(path)


def integer(row: Mapping[str, str], column: str, where: str) -> int:
    """A cell as a whole number; raises TableError where it is none. An empty cell is 0."""
    try:
        return int(row[column] or 0)
    except ValueError as error:
        raise TableError(
            f"the column {column} holds whole numbers", where=where, got=row[column]
        ) from error
