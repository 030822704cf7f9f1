from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from jobs.scan.tables import open_table
from skint.table import TableError


def read(path: Path) -> list[dict[str, str]]:
    return [dict(row) for _where, row in open_table(path).rows()]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_mark_are_found(table: Path, separator: str, encoding: str) -> None:
    lines = [["path", "label"], ["hat/Strauß.jpg", "1,5; x"], ["b.jpg", "y"]]
    text = "".join(
        separator.join(f'"{cell}"' if separator in cell else cell for cell in line) + "\r\n"
        for line in lines
    )
    table.write_text(text, encoding=encoding, newline="")
    assert read(table) == [
        {"path": "hat/Strauß.jpg", "label": "1,5; x"},
        {"path": "b.jpg", "label": "y"},
    ]


def test_spaces_round_cells_and_empty_lines_do_not_count(table: Path) -> None:
    table.write_text("path , label\n\na.jpg,  hat \n\n")
    assert read(table) == [{"path": "a.jpg", "label": "hat"}]


def test_a_row_knows_its_line(table: Path) -> None:
    table.write_text('path,label\n"a\nb.jpg",hat\nc.jpg,shoe\n')
    assert [where for where, _row in open_table(table).rows()] == [f"{table}:3", f"{table}:4"]


def test_a_row_of_another_length_is_refused_with_its_line(table: Path) -> None:
    table.write_text("path,label\na.jpg,hat\nb.jpg,red, blue\n")
    with pytest.raises(TableError, match="another number of cells") as error:
        read(table)
    assert error.value.where == f"{table}:3"
    assert error.value.got == "3 cells"


def test_a_missing_column_names_the_nearest(table: Path) -> None:
    table.write_text("path,lable\na.jpg,hat\n")
    with pytest.raises(TableError, match="column label is missing") as error:
        open_table(table).need("label")
    assert error.value.next == "did you mean lable?"


def test_a_column_that_stands_there_twice_is_refused_when_it_is_needed(table: Path) -> None:
    table.write_text("path,label,label\na.jpg,hat,hat\n")
    open_table(table).need("path")
    with pytest.raises(TableError, match="twice"):
        open_table(table).need("label")


def test_a_missing_file_names_its_neighbour(table: Path) -> None:
    (table.parent / "lables.csv").write_text("x")
    with pytest.raises(TableError, match="missing") as error:
        open_table(table)
    assert error.value.next == "did you mean lables.csv?"


@pytest.mark.parametrize(
    "content",
    [b'path,label\na.jpg,"' + b"x" * 200_000 + b'"\n', b"\xff\xfep\0a"],
    ids=["a cell without end", "half a letter of UTF-16"],
)
def test_what_is_no_csv_is_refused_in_words(table: Path, content: bytes) -> None:
    table.write_bytes(content)
    with pytest.raises(TableError):
        open_table(table).need("path")
        read(table)


def test_an_empty_file_has_no_columns(table: Path) -> None:
    table.write_bytes(b"")
    assert open_table(table).columns == ()
    assert read(table) == []


def test_names_that_are_not_utf_8_come_back_as_they_are_on_the_disk(table: Path) -> None:
    table.write_bytes(b"path,label\ncaf\xe9.jpg,hat\n")
    assert read(table)[0]["path"].encode("utf-8", "surrogateescape") == b"caf\xe9.jpg"


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    columns: dict[str, list[Any]] = {
        "path": ["a.jpg", "b.jpg"],
        "age": [3, None],
        "height": [1.5, float("nan")],
        "good": [True, False],
        "tags": [["x", "y"], []],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    assert read(path) == [
        {"path": "a.jpg", "age": "3", "height": "1.5", "good": "1", "tags": "x|y"},
        {"path": "b.jpg", "age": "", "height": "", "good": "0", "tags": ""},
    ]
    places = [where for where, _row in open_table(path).rows()]
    assert places == [f"{path}: row 1", f"{path}: row 2"]


def test_a_damaged_parquet_file_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError, match="not a Parquet file"):
        open_table(path)


def test_parquet_under_another_name_is_told(table: Path) -> None:
    table.write_bytes(b"PAR1....PAR1")
    with pytest.raises(TableError, match="is a Parquet file") as error:
        open_table(table)
    assert error.value.wanted == "a name that ends in .parquet"


def test_without_pyarrow_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.parquet"
    path.write_bytes(b"PAR1")
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TableError, match="pyarrow") as error:
        open_table(path)
    assert error.value.next == 'pip install "skint[parquet]"'
