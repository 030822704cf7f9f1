"""Which pictures a scan looks at and what is known of them: from folders, or from a table."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jobs.scan.listing import CHECK_EVERY, Gate, Listing, SourceError, paths_of_pictures
from jobs.scan.names import short_names
from jobs.scan.tables import Table
from jobs.scan.targets import Wish, cell_of, check_columns
from jobs.scan.template import fill, is_template, template_columns
from skint.job import nearest
from skint.table import TableError

FOLDERS: Mapping[str, Callable[[str], str]] = {
    "first": lambda path: path.partition("/")[0] if "/" in path else "",
    "last": lambda path: PurePosixPath(path).parent.name,
}
"""The label of a picture by the folder it lies in."""
_PLAIN = re.compile(r"(?!/)(?:(?!\.{0,2}/)[^/]*/)*[^/]+")
"""A path without `//`, `/./`, `/../` and a slash at its start."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that is to be looked at."""

    path: str
    name: str
    group: str
    cells: tuple[str, ...]
    """One a target."""


@dataclass(frozen=True)
class Found:
    """What folders or a table say, before any picture is opened."""

    wanted: Sequence[Wanted]
    """In the order of their paths."""
    refused: Sequence[tuple[str, str]]
    """(path, sentence) of what is not opened."""
    other: int = 0
    """Files that do not look like pictures."""
    doubled: int = 0
    """Rows of a table that say again what another row said."""
    unlisted: Sequence[str] = ()
    """Pictures of the folder that the table does not name."""
    refused_names: tuple[str, ...] = ()
    """What the table calls those that are not opened."""


@dataclass(frozen=True)
class Reading:
    """How a table is read: names of its columns, or templates over them."""

    wishes: Sequence[Wish]
    path: str = "path"
    name: str = ""
    """The column of the names; empty: `id` where the table has it, else the file's name."""
    group: str = ""
    """A column, or a regular expression over the path; empty: `group` where there is one."""


def by_folders(listing: Listing, label: str, group: str) -> Found:
    """`label` is `first`, `last`, `none`, or a regular expression with a bracket."""
    label_of = FOLDERS.get(label) or (lambda path: found_in(path, label))
    wanted, refused = [], list(listing.refused)
    names = short_names(listing.pictures)
    for path, name in zip(listing.pictures, names, strict=True):
        cells: tuple[str, ...] = () if label == "none" else (label_of(path).strip(),)
        if "" in cells:
            reason = "lies in no class folder" if label in FOLDERS else "has no label in its path"
            refused.append((path, reason))
        else:
            wanted.append(Wanted(path, name, found_in(path, group), cells))
    _check_groups(wanted, group, ())
    return Found(wanted, refused, listing.other)


def by_table(root: Path, table: Table, reading: Reading, check: Callable[[], None]) -> Found:
    """Rows of the table, one a picture. Raises TableError.

    `check` is called often; what it raises ends the reading.
    """
    columns = _Columns(table, reading)
    gate = Gate(root)
    wanted: dict[str, Wanted] = {}
    refused: dict[str, str] = {}
    lines: dict[str, str] = {}
    doubled = 0
    for number, (where, row) in enumerate(table.rows()):
        if number % CHECK_EVERY == 0:
            check()
        written = columns.path(row)
        if not written:
            raise TableError("this row names no picture", where=where, wanted=reading.path)
        path, reason = _on_disk(gate, written)
        cells = tuple(cell_of(wish, row, where) for wish in reading.wishes)
        cells, refused_mask = _masks_on_disk(gate, reading.wishes, cells)
        reason = reason or refused_mask
        one = Wanted(path, columns.name(row), columns.group(row, path), cells)
        if path in wanted and wanted[path] != one:
            raise TableError(
                "this picture stands in the table twice, with different words",
                where=where,
                got=f"{path}: {_words(one)}",
                wanted=f"{_words(wanted[path])}, as in {lines[path]}",
            )
        doubled += path in wanted
        wanted[path] = one
        lines.setdefault(path, where)
        if reason:
            refused[path] = reason
    used = [wanted[path] for path in sorted(wanted) if path not in refused]
    if wanted and not used:
        raise _nothing_there(root, table, reading, next(iter(sorted(refused.items()))))
    if not columns.has_names:
        names = short_names([one.path for one in used])
        used = [
            Wanted(one.path, name, one.group, one.cells)
            for one, name in zip(used, names, strict=True)
        ]
    _check_groups(used, reading.group, table.columns)
    lost = tuple(wanted[path].name for path in refused) if columns.has_names else ()
    masks = [number for number, wish in enumerate(reading.wishes) if wish.kind == "mask"]
    named = {one.cells[number] for one in wanted.values() for number in masks}.union(wanted)
    unlisted = [path for path in paths_of_pictures(root, check) if path not in named]
    return Found(
        used, sorted(refused.items()), doubled=doubled, unlisted=unlisted, refused_names=lost
    )


def found_in(path: str, pattern: str) -> str:
    """What the regular expression, or its first bracket, finds in the path."""
    match = re.search(pattern, path) if pattern else None
    return match[match.re.groups and 1] or "" if match else ""


class _Columns:
    """The cells of a row that are no target."""

    def __init__(self, table: Table, reading: Reading) -> None:
        has = table.columns
        self._path = reading.path
        self._name = reading.name or ("id" if "id" in has else "")
        plain = reading.group in has
        self._group = reading.group if plain else "group" if "group" in has else ""
        self._pattern = "" if plain else reading.group
        self.has_names = bool(self._name)
        if has and "path" not in has and self._path == "path":
            raise TableError(
                "the column path is missing",
                where=f"{table.path}:1",
                got=", ".join(has),
                next=f'name the column, or say how paths are made: path: "{{{has[0]}}}.jpg"',
            )
        for column in template_columns(self._path) if is_template(self._path) else (self._path,):
            table.need(column)
        for column in filter(None, (self._name, self._group)):
            table.need(column)
        check_columns(table, reading.wishes)

    def path(self, row: Mapping[str, str]) -> str:
        return fill(self._path, row) if is_template(self._path) else row[self._path]

    def name(self, row: Mapping[str, str]) -> str:
        return row[self._name] if self._name else ""

    def group(self, row: Mapping[str, str], path: str) -> str:
        if self._pattern:
            return found_in(path, self._pattern)
        return row[self._group] if self._group else ""


def _on_disk(gate: Gate, written: str) -> tuple[str, str | None]:
    """The path relative to the root as scan.csv has it, and why it is not opened, or None."""
    path = written
    reason = gate.refusal(path)
    if reason and "\\" in written:
        path = written.replace("\\", "/")
        reason = gate.refusal(path)
    if reason is None and not _PLAIN.fullmatch(path):
        # One file has one name, however the table writes it.
        path = posixpath.normpath(path)
        folder, name = posixpath.split(path)
        if path.startswith("/") and Path(os.path.realpath(folder)).is_relative_to(gate.root):
            path = (Path(os.path.realpath(folder)) / name).relative_to(gate.root).as_posix()
        reason = gate.refusal(path)
    return path, reason


def _masks_on_disk(
    gate: Gate, wishes: Sequence[Wish], cells: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None]:
    """The cells with paths of masks as `scan.csv` has them, and why one is not opened, or None."""
    found, refused = list(cells), None
    for number, wish in enumerate(wishes):
        if wish.kind == "mask" and cells[number]:
            found[number], reason = _on_disk(gate, cells[number])
            if reason:
                refused = f"has a mask, {found[number]}, that {reason}"
    return tuple(found), refused


def _check_groups(wanted: Sequence[Wanted], pattern: str, columns: Sequence[str]) -> None:
    if pattern and wanted and not any(one.group for one in wanted):
        raise SourceError(
            "`group` finds nothing in any path" + (", and is no column" if columns else ""),
            where="scan: group",
            got=pattern,
            wanted=f"what {wanted[0].path} has in common with others",
            next=nearest(pattern, columns),
        )


def _nothing_there(
    root: Path, table: Table, reading: Reading, example: tuple[str, str]
) -> TableError:
    path, reason = example
    hint = None
    ahead, slash, rest = path.partition("/")
    beside = sorted(root.glob(f"{_quoted(path)}.*")) if not reason.startswith("leads") else []
    if beside:
        column = reading.path if is_template(reading.path) else f"{{{reading.path}}}"
        hint = f'path: "{column}{beside[0].suffix}"'
    elif slash and ahead == root.name and (root / rest).exists():
        hint = f"paths count from `source`: set it to {root.parent}"
    return TableError(
        "none of the pictures of this table is in the source folder",
        where=str(table.path),
        got=f"{path} {reason}",
        wanted=f"paths relative to {root}",
        next=hint,
    )


def _quoted(path: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", path.strip("/"))


def _words(one: Wanted) -> str:
    return ", ".join(filter(None, (*one.cells, one.group, one.name))) or "nothing"
