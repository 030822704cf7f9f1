"""What a table says is to be predicted: its cells, in the form in which later jobs read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jobs.scan.tables import Table
from jobs.scan.template import fill, is_template, template_columns
from skint.dataset.target import SEPARATOR, Target
from skint.table import TableError

UNKNOWN_VALUES = frozenset(("", "nan", "na", "n/a", "null", "none"))
"""Cells of a `value` that mean "not known", whatever their case."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_YES = frozenset(("1", "1.0", "true", "yes"))
_NO = frozenset(("0", "0.0", "false", "no", ""))


@dataclass(frozen=True)
class Wish:
    """A target as the plan asks for it."""

    name: str
    kind: str
    """`class`, `multilabel`, `value` or `mask`."""
    column: str = ""
    """The column of the table, or a template over columns; empty where `columns` are given."""
    columns: tuple[str, ...] = ()
    """One column a class, with 0 or 1 in it."""
    split: str = SEPARATOR
    """Between the names in a multilabel cell."""


def needed_columns(wish: Wish) -> tuple[str, ...]:
    if wish.columns:
        return wish.columns
    return template_columns(wish.column) if is_template(wish.column) else (wish.column,)


def cell_of(wish: Wish, row: Mapping[str, str], where: str) -> str:
    """What stands in `scan.csv` for this row of the table. Raises TableError."""
    if wish.columns:
        return _from_columns(wish, row, where)
    text = fill(wish.column, row) if is_template(wish.column) else row[wish.column]
    if wish.kind == "multilabel":
        names = {name.strip() for name in text.split(wish.split or None)} - {""}
        for name in names:
            if SEPARATOR in name:
                raise TableError(
                    f"the name of a class holds {SEPARATOR}, which stands between names",
                    where=where,
                    got=name,
                    next=f'targets: {{{wish.name}: {{kind: multilabel, split: "{SEPARATOR}"}}}}',
                )
        return SEPARATOR.join(sorted(names))
    if wish.kind == "value":
        return _value(wish, text, where)
    return text.replace("\\", "/") if wish.kind == "mask" else text


def found_targets(wishes: Sequence[Wish], cells: Iterable[Sequence[str]]) -> tuple[Target, ...]:
    """The targets with the classes that occur in `cells` (one a wish); one-hot columns all count.

    Classes stand in the order of their names, or of their numbers where all are whole numbers.
    """
    names: list[set[str]] = [set(wish.columns) for wish in wishes]
    for row in cells:
        for wish, known, cell in zip(wishes, names, row, strict=True):
            if wish.kind == "class":
                known.add(cell)
            elif wish.kind == "multilabel":
                known.update(cell.split(SEPARATOR))
    return tuple(
        Target(wish.name, wish.kind, tuple(in_order(known - {""})))
        for wish, known in zip(wishes, names, strict=True)
    )


def in_order(names: Iterable[str]) -> list[str]:
    """0, 1, 2, 10 where all are whole numbers, else as words are sorted."""
    found = sorted(names)
    if all(name.isascii() and name.isdecimal() for name in found):
        found.sort(key=int)
    return found


def look_alikes(classes: Iterable[str]) -> list[tuple[str, ...]]:
    """Classes whose names differ in case or spaces only: most likely one class, mistyped."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault("".join(name.split()).casefold(), []).append(name)
    return [tuple(names) for names in alike.values() if len(names) > 1]


def check_columns(table: Table, wishes: Iterable[Wish]) -> None:
    """Raises TableError for the first column that is not in the table."""
    for wish in wishes:
        for column in needed_columns(wish):
            table.need(column)


def _from_columns(wish: Wish, row: Mapping[str, str], where: str) -> str:
    names = []
    for column in wish.columns:
        cell = row[column].lower()
        if cell in _YES:
            names.append(column)
        elif cell not in _NO:
            raise TableError(
                f"the column {column} of {wish.name} holds 0 or 1", where=where, got=row[column]
            )
    if wish.kind == "class" and len(names) > 1:
        raise TableError(
            f"a picture has one {wish.name}, and this row has several",
            where=where,
            got=", ".join(names),
            next=f"targets: {{{wish.name}: {{kind: multilabel, columns: [...]}}}}",
        )
    return SEPARATOR.join(sorted(names))


def _value(wish: Wish, text: str, where: str) -> str:
    if text.lower() in UNKNOWN_VALUES:
        return ""
    # float() also takes 1_000 and digits of other scripts, which other programs do not.
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise TableError(
            f"{wish.name} is not a number",
            where=where,
            got=text,
            wanted="a decimal number, with a point",
            next=f"is it a class? targets: {{{wish.name}: class}}",
        )
    return text
