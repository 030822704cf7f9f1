"""Reads tables that people bring: CSV of any separator and encoding mark, or Parquet.

What jobs hand on to each other is stricter: see `skint.table`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from skint.job import nearest
from skint.table import TableError

SEPARATORS = ",;\t|"
PARQUET = (".parquet", ".pq")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Table:
    """A table on disk: its columns are known, its rows are read when asked for."""

    path: Path
    columns: tuple[str, ...]
    encoding: str = ""
    separator: str = ""
    """Empty for Parquet."""

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Each row as text by column, with where it stands (`labels.csv:7`).

        Surrounding spaces of a cell are gone. Raises TableError where a row has another number of
        cells than the header.
        """
        return _csv_rows(self) if self.separator else _parquet_rows(self)

    def need(self, column: str) -> None:
        """Raises TableError, naming the nearest column, unless there is exactly one such column."""
        count = self.columns.count(column)
        if count == 1:
            return
        raise TableError(
            f"the column {column} " + ("stands in the header twice" if count else "is missing"),
            where=f"{self.path}:1",
            got=", ".join(self.columns) or "an empty file",
            wanted=column,
            next=None if count else nearest(column, self.columns),
        )


def open_table(path: Path) -> Table:
    """The table; a `.parquet` or `.pq` file needs the package pyarrow. Raises TableError."""
    if not path.is_file():
        beside = sorted(file.name for file in path.parent.glob("*") if file.is_file())
        raise TableError("this file is missing", where=str(path), next=nearest(path.name, beside))
    if path.suffix.lower() in PARQUET:
        return Table(path, tuple(_parquet(path).schema_arrow.names))
    with path.open("rb") as content:
        start = content.read(4)
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    if start == b"PAR1":
        raise TableError(
            "this is a Parquet file",
            where=str(path),
            wanted="a name that ends in .parquet",
        )
    with _reading(path, encoding) as file:
        header = file.readline()
        separator = max(
            SEPARATORS, key=lambda mark: len(next(csv.reader([header], delimiter=mark)))
        )
        file.seek(0)
        columns = next(csv.reader(file, delimiter=separator), [])
    return Table(path, tuple(name.strip() for name in columns), encoding, separator)


def _csv_rows(table: Table) -> Iterator[tuple[str, Mapping[str, str]]]:
    with _reading(table.path, table.encoding) as file:
        reader = csv.reader(file, delimiter=table.separator)
        next(reader, None)
        count = len(table.columns)
        for cells in reader:
            if len(cells) == count:
                where = f"{table.path}:{reader.line_num}"
                yield where, dict(zip(table.columns, map(str.strip, cells), strict=True))
            elif cells:  # an empty line is no row
                raise TableError(
                    "this row has another number of cells than the header",
                    where=f"{table.path}:{reader.line_num}",
                    got=f"{len(cells)} cells",
                    wanted=f"{count}, between them `{table.separator}`".replace("\t", "TAB"),
                    next="put quotes round a cell that has the separator in it",
                )


@contextmanager
def _reading(path: Path, encoding: str) -> Iterator[IO[str]]:
    try:
        # Names of files that are not UTF-8 come as surrogates, and so find their file on the disk.
        with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
            yield file
    except (csv.Error, UnicodeError) as error:
        raise TableError("this is not a CSV file", where=str(path), got=error) from error


def _parquet_rows(table: Table) -> Iterator[tuple[str, Mapping[str, str]]]:
    number = 0
    for batch in _parquet(table.path).iter_batches(batch_size=_BATCH_ROWS):
        columns = [[_text(value) for value in column.to_pylist()] for column in batch.columns]
        for cells in zip(*columns, strict=True):
            number += 1
            yield f"{table.path}: row {number}", dict(zip(table.columns, cells, strict=True))


def _text(value: object) -> str:
    """A cell as a CSV file would have it; a list is names with `|` between."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return "|".join(map(_text, value))
    return str(value).strip()


def _parquet(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise TableError(
            "Parquet tables are read by pyarrow, which is not installed",
            where=str(path),
            next='pip install "skint[parquet]"',
        ) from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(
            "this is not a Parquet file that can be read",
            where=str(path),
            got=str(error).partition("\n")[0],
        ) from error
