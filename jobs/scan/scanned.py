"""`scan.csv` and what stands beside it: what a scan hands on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.scan.duplicates import Pair, Seen
from skint.attempt import write_atomic
from skint.dataset.target import Target
from skint.table import integer, read_rows, write_rows

SCAN, QUARANTINE, PARTLY = "scan.csv", "quarantine.csv", "partly.csv"
TARGETS, DUPLICATES, SUMMARY = "targets.json", "duplicates.csv", "summary.json"
SUBMISSION = "submission.json"
MASKS = "masks.csv"
"""Only where there is a target of the kind mask."""
COLUMNS = (
    *("name", "path", "page", "group", "sha256", "width", "height"),
    *("channels", "dtype", "bytes", "phash"),
)
"""Followed by one column a target, under the target's own name."""
_MASK_COLUMNS = ("target", "path", "sha256", "dtype")
TAKEN = frozenset((*COLUMNS, "id"))
"""Names that no target can have: they are columns of this table, or of a packed set's."""


@dataclass(frozen=True, slots=True)
class Row:
    """A usable picture."""

    name: str
    path: str
    page: int
    """0; of a TIFF whose pages are pictures, its number; -1 where all pages are its bands."""
    group: str
    sha256: str
    width: int
    height: int
    channels: int
    dtype: str
    bytes: int
    phash: str
    cells: tuple[str, ...]

    def seen(self, targets: Sequence[str]) -> Seen:
        cells = dict(zip(targets, self.cells, strict=True))
        return Seen(self.path, self.page, self.sha256, self.phash, cells)


@dataclass(frozen=True, slots=True, order=True)
class MaskFile:
    """A file that a target of the kind mask names: a line of `masks.csv`."""

    target: str
    path: str
    """Relative to the scanned folder."""
    sha256: str
    dtype: str
    """`uint8` or `uint16`: what its values need."""


def write_masks(out: Path, masks: Iterable[MaskFile]) -> None:
    rows = ((one.target, one.path, one.sha256, one.dtype) for one in masks)
    write_rows(out / MASKS, _MASK_COLUMNS, rows)


def read_masks(folder: Path) -> Iterator[MaskFile]:
    """The masks of an earlier scan that has a target of that kind. Raises TableError."""
    for row in read_rows(folder / MASKS, _MASK_COLUMNS):
        yield MaskFile(*(row[column] for column in _MASK_COLUMNS))


def write_scan(out: Path, rows: Iterable[Row], targets: Sequence[Target]) -> None:
    """`scan.csv` last: a folder that has it is whole."""
    described = [
        {"name": target.name, "kind": target.kind, "classes": list(target.classes)}
        for target in targets
    ]
    write_plain(out / TARGETS, described)
    write_rows(
        out / SCAN,
        (*COLUMNS, *(target.name for target in targets)),
        ((*(getattr(row, column) for column in COLUMNS), *row.cells) for row in rows),
    )


def read_targets(folder: Path) -> tuple[Target, ...]:
    """The targets of an earlier scan; none where it is an unlabelled one."""
    described = json.loads((folder / TARGETS).read_text(encoding="utf-8"))
    return tuple(Target(one["name"], one["kind"], tuple(one["classes"])) for one in described)


def read_seen(folder: Path, targets: Sequence[Target]) -> Iterator[Seen]:
    """The pictures of an earlier scan. Raises TableError."""
    names = [target.name for target in targets]
    path = folder / SCAN
    for number, row in enumerate(read_rows(path, (*COLUMNS, *names)), 2):
        page = integer(row, "page", f"{path}:{number}")
        cells = {name: row[name] for name in names}
        yield Seen(row["path"], page, row["sha256"], row["phash"], cells)


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    columns = ("kind", "distance", "path", "page", "label", "scan", "first", "first_page")
    write_rows(
        path,
        (*columns, "first_label"),
        (
            (
                *(pair.kind, pair.distance, pair.one.path, pair.one.page, pair.one.label),
                *(pair.scan, pair.first.path, pair.first.page, pair.first.label),
            )
            for pair in pairs
        ),
    )


def write_plain(path: Path, data: Mapping[str, object] | Sequence[object]) -> None:
    write_atomic(path, (json.dumps(data, indent=1) + "\n").encode())
