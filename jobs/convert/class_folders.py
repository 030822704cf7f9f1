"""Pictures as files in a folder for each class, with a table of all that is known of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from jobs.convert.records import Record, as_picture_file
from skint.dataset import Target
from skint.table import write_rows

TABLE, PICTURES, UNKNOWN = "table.csv", "pictures", "unknown"
"""The table, the folder of the folders, and the folder of what has no class."""
MOST_BYTES = 120
"""Of a name; most file systems take 255, and a number and a suffix come behind."""
_UNSAFE = re.compile(r"[^\w.,()+ -]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""Names that Windows cannot open."""


def write_folders(records: Iterable[Record], targets: Iterable[Target], folder: Path) -> int:
    """Write `pictures/CLASS/NAME.png` and `table.csv`; how many pictures there are.

    The table has `path` (from `pictures`), `name`, `group` and the targets, as `scan` reads it.
    Without a target of classes the pictures lie in `pictures` itself, which has another name
    until all are there.
    """
    targets = list(targets)
    label = next((target for target in targets if target.kind == "class"), None)
    partial = folder / f"{PICTURES}.partial"
    partial.mkdir()
    places: dict[str, str] = {}
    taken: set[str] = set()
    rows = []
    for record in records:
        cell = record.cells.get(label.name, "") if label is not None else ""
        if label is not None and cell not in places:
            places[cell] = _free(
                safe_name(cell or UNKNOWN), "", {p.lower() for p in places.values()}
            )
        place = f"{places[cell]}/" if label is not None else ""
        suffix, content = as_picture_file(record)
        path = place + _free(safe_name(record.name), suffix, taken, place)
        taken.add(path.lower())
        target = partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        cells = [record.cells.get(one.name, "") for one in targets]
        rows.append([path, record.name, record.group, *cells])
    columns = ("path", "name", "group", *(target.name for target in targets))
    partial.rename(folder / PICTURES)
    write_rows(folder / TABLE, columns, rows)
    return len(rows)


def safe_name(text: str) -> str:
    """`text` as one part of a path on every system: never empty, hidden, reserved or too long."""
    text = unicodedata.normalize("NFC", text).encode("utf-8", "replace").decode()
    text = _UNSAFE.sub("_", text).strip(" .")
    while len(text.encode()) > MOST_BYTES:
        text = text[:-1]
    text = text.strip(" .")
    return f"_{text}" if not text or _RESERVED.match(text) else text


def _free(name: str, suffix: str, taken: set[str], place: str = "") -> str:
    """`name` + `suffix`, or with a number where that is taken; capitals do not tell names apart."""
    chosen, number = f"{name}{suffix}", 1
    while f"{place}{chosen}".lower() in taken:
        number += 1
        chosen = f"{name}-{number}{suffix}"
    return chosen
