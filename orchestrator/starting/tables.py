"""Tables beside pictures: which one has their labels, and how it calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jobs.scan.tables import Table, open_table
from orchestrator.starting.columns import (
    FOLD,
    GROUP,
    SPLIT,
    Guess,
    guess_of,
    likeliest,
    one_column_each,
    same_classes,
)
from orchestrator.starting.found import Labels
from skint.errors import SkintError

MOST_ROWS = 200_000
TRIED_ROWS = 500
"""Of each table, to see whether it is about these pictures."""
LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Names:
    """How rows are turned into paths."""

    column: str
    prefix: str
    """What stands before it, relative to the root."""
    template: str
    """What `scan` is to fill: `{id}.jpg`; the bare column where nothing is added."""


class Pictures:
    """All pictures, by name and by name without suffix."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = set(paths)
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            name = path.rpartition("/")[2]
            self._by_name.setdefault(name, []).append(path)
            stem = name.rpartition(".")[0]
            if stem != name:
                self._by_name.setdefault(stem, []).append(path)

    def called(self, cell: str) -> list[str]:
        """Paths that a cell may mean."""
        return self._by_name.get(cell.replace("\\", "/").rpartition("/")[2], [])


def read_rows(root: Path, path: str) -> tuple[Table, dict[str, list[str]]] | None:
    """The table by columns; None where it cannot be read as one."""
    try:
        table = open_table(root / path)
        if len(set(table.columns)) != len(table.columns) or not table.columns:
            return None
        cells: dict[str, list[str]] = {name: [] for name in table.columns}
        for _, row in islice(table.rows(), MOST_ROWS):
            for name, cell in row.items():
                cells[name].append(cell)
    except SkintError:
        return None
    return table, cells


def names_in(cells: Mapping[str, Sequence[str]], pictures: Pictures) -> Names | None:
    """The column that names pictures, if one does for at least half of the rows."""
    best: tuple[int, Names] | None = None
    for column, values in cells.items():
        tried = range(0, len(values), max(1, len(values) // TRIED_ROWS))
        ways: Counter[Names] = Counter()
        for number in tried:
            row = {name: of[number] for name, of in cells.items()}
            ways.update(_ways(column, row, pictures))
        if not ways:
            continue
        # Of equal ones the shortest: a bare column rather than a template.
        names, hits = max(ways.items(), key=lambda item: (item[1], -len(item[0].template)))
        if hits >= LEAST_SHARE * len(tried) and (best is None or hits > best[0]):
            best = hits, names
    return None if best is None else best[1]


def path_of(names: Names, row: Mapping[str, str]) -> str:
    """The path of a row's picture, relative to the root."""
    from jobs.scan.template import fill, is_template

    inside = fill(names.template, row) if is_template(names.template) else row[names.column]
    return names.prefix + inside.replace("\\", "/")


def labels_of(
    root: Path,
    path: str,
    pictures: Pictures,
    asked: Sequence[str] = (),
    broken: Collection[str] = (),
) -> Labels | None:
    """What the table says of the pictures that are not `broken`; None where it names none."""
    read = read_rows(root, path)
    names = names_in(read[1], pictures) if read else None
    if read is None or names is None:
        return None
    table, cells = read
    count = len(cells[names.column])
    paths = [
        path_of(names, {name: of[number] for name, of in cells.items()}) for number in range(count)
    ]
    there = [number for number, path in enumerate(paths) if path in pictures.paths]
    gone = [number for number, path in enumerate(paths) if path not in pictures.paths]
    usable = [number for number in there if paths[number] not in broken]
    known = {name: [of[number] for number in usable] for name, of in cells.items()}
    named = {paths[number] for number in there}
    others = [
        name for name in cells if name != names.column and f"{{{name}}}" not in names.template
    ]
    groups = [name for name in others if GROUP.fullmatch(name)]
    folds = [name for name in others if FOLD.fullmatch(name) and 1 < len(set(known[name])) <= 50]
    free = [n for n in others if n not in (*groups, *folds) and not SPLIT.fullmatch(n)]
    guesses = _guesses(known, free, asked)
    group = groups[0] if groups and all(known[groups[0]]) else ""
    return Labels(
        table=path,
        separator=table.separator,
        source=names.prefix.rstrip("/"),
        path=names.template,
        id=names.column if names.template != names.column else "",
        rows=count,
        missing=len(gone),
        missing_like=paths[gone[0]] if gone else "",
        unlisted=sum(p.startswith(names.prefix) and p not in named for p in pictures.paths),
        guesses=tuple(guesses),
        ignored=tuple(n for n in others if n not in _used(guesses) and n not in (group, *folds)),
        group=group,
        groups=len(set(known[group])) if group else 0,
        fold=folds[0] if folds else "",
        folds=len(set(known[folds[0]])) if folds else 0,
        spread={
            (guess.name, column): _fewest(known[guess.column], known[column])
            for guess in guesses
            for column in (group, *folds[:1])
            if column and guess.kind == "class" and guess.column
        },
    )


def _guesses(
    known: Mapping[str, Sequence[str]], free: Sequence[str], asked: Sequence[str]
) -> list[Guess]:
    hot = one_column_each(known, free)
    alone = [name for name in free if hot is None or name not in hot.columns]
    found = [guess for name in alone if (guess := guess_of(name, known[name])) is not None]
    ordered = likeliest([*found, *([hot] if hot else [])], asked)
    kept: list[Guess] = []
    for guess in ordered:  # of a class's name and its number the likelier stays
        twins = (g for g in kept if g.column and g.kind == guess.kind == "class" and guess.column)
        if not any(same_classes(known[g.column], known[guess.column]) for g in twins):
            kept.append(guess)
    return kept


def _used(guesses: Sequence[Guess]) -> set[str]:
    return {name for guess in guesses for name in (guess.column, *guess.columns)}


def _fewest(cells: Sequence[str], groups: Sequence[str]) -> int:
    by_class: dict[str, set[str]] = {}
    for cell, group in zip(cells, groups, strict=True):
        if cell:
            by_class.setdefault(cell, set()).add(group)
    return min(map(len, by_class.values()), default=0)


def _ways(column: str, row: Mapping[str, str], pictures: Pictures) -> set[Names]:
    """Each way in which this cell names a picture."""
    cell = row[column].replace("\\", "/")
    found: set[Names] = set()
    if not cell or cell.startswith("/") or ".." in cell:
        return found
    for path in pictures.called(cell):
        inside, suffix = path, ""
        if not path.endswith(cell):
            inside, dot, ending = path.rpartition(".")
            suffix = dot + ending
            if not inside.endswith(cell):
                continue
        before = inside[: len(inside) - len(cell)]
        if before and not before.endswith("/"):
            continue
        braced = f"{{{column}}}"
        bare = column if not suffix and "{" not in column else braced + suffix
        found.add(Names(column, before, bare))
        for depth in (1, 2, 3):  # a/b/c/abcdef.png
            letters = "".join(f"{letter}/" for letter in cell[:depth])
            rest = before.removesuffix(letters)
            if before.endswith(letters) and len(cell) > depth and _is_folder(rest):
                ahead = "".join(f"{{{column}[{n}]}}/" for n in range(depth))
                found.add(Names(column, rest, ahead + braced + suffix))
        for other, value in row.items():  # the folder stands in another column
            if other != column and value and before.endswith(f"{value}/"):
                ahead = before[: len(before) - len(value) - 1]
                if _is_folder(ahead):
                    found.add(Names(column, ahead, f"{{{other}}}/{braced}{suffix}"))
    return found


def _is_folder(prefix: str) -> bool:
    """Not a part of a folder's name."""
    return not prefix or prefix.endswith("/")
