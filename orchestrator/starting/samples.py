"""A sample submission beside the pictures: what it wants to be told, of which pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jobs.scan.names import names_like
from orchestrator.starting.found import Sample
from orchestrator.starting.tables import Pictures, names_in, path_of, read_rows

NAMED = re.compile(r"(?:sample|example)[-_ ]?sub(?:mission)?|submission[-_ ]?format|sample", re.I)
CELLS = 50


def is_sample(path: str) -> bool:
    """Whether a table is called like one."""
    return NAMED.search(path.rpartition("/")[2]) is not None


def read_sample(root: Path, path: str, tests: Sequence[str]) -> Sample | None:
    """`tests` are paths of the test pictures; None where it is no table of ids and answers."""
    read = read_rows(root, path)
    if read is None or len(read[0].columns) < 2:
        return None
    columns = read[0].columns
    ids = read[1][columns[0]]
    names = set(names_like(tests, set(ids)) or ())
    unknown = [one for one in ids if one not in names]
    return Sample(
        path=path,
        id=columns[0],
        columns=columns[1:],
        rows=len(ids),
        cells=tuple(dict.fromkeys(read[1][columns[1]]))[:CELLS],
        unknown=len(unknown),
        unknown_like=unknown[0] if unknown else "",
    )


def pictures_of(root: Path, path: str, pictures: Pictures) -> tuple[str, str, int] | None:
    """Where the ids of a sample name pictures among others: their folder, how they are called
    (a column, or a template), how many there are. None where they do not."""
    read = read_rows(root, path)
    names = names_in(read[1], pictures) if read else None
    if read is None or names is None or names.column != read[0].columns[0]:
        return None
    cells = read[1]
    rows = ({name: of[n] for name, of in cells.items()} for n in range(len(cells[names.column])))
    hits = sum(path_of(names, row) in pictures.paths for row in rows)
    return names.prefix.rstrip("/"), names.template, hits
