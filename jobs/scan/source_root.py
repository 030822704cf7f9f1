"""Where scanned pictures lie: noted by `scan`, found again by whoever reads the originals.

A project that was moved with its pictures is not scanned again, so the note has the way from the
plan's folder as well as the way from the root of the disk.
"""

from __future__ import annotations

import json
from pathlib import Path

from skint.attempt import write_json
from skint.errors import SkintError


class SourceGone(SkintError):
    """The scanned folder is not where it was."""


def note_root(scan_out: Path, root: Path, base: Path) -> None:
    """Keep `root` under `scan_out`; `base` is the plan's folder. Both are absolute."""
    note = {"root": str(root)}
    if root.is_relative_to(base.resolve()):
        note["from_plan"] = root.relative_to(base.resolve()).as_posix()
    (scan_out / "local").mkdir(parents=True, exist_ok=True)
    write_json(scan_out / "local" / "source.json", note)


def find_root(scan_out: Path, base: Path) -> Path:
    """The scanned folder as it is seen from the plan's folder `base`, else where it was scanned.

    Raises SourceGone where it is in neither place. What lies there is compared with its hashes by
    whoever reads it.
    """
    path = scan_out / "local" / "source.json"
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceGone(
            "it is not known where the scanned pictures lie on this machine",
            where=str(path),
            next="run the scan again here",
        ) from error
    places = [Path(note["root"])]
    if "from_plan" in note:
        places.insert(0, base.resolve() / note["from_plan"])
    for place in places:
        if place.is_dir():
            return place
    raise SourceGone("the scanned folder is gone", where=str(places[0]))
