"""What was drawn of an attempt: its picture in words, or why there is none. Standard library."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from skint.attempt import write_json

PICTURE = "mistakes.png"
RECORD = "mistakes.json"
VERSION = 1


@dataclass(frozen=True)
class Record:
    """`mistakes.json`, written after the picture; with it nothing is drawn again."""

    alt_text: str = ""
    missing: str = ""
    """Why there is no picture; empty where there is one."""


def read_record(folder: Path) -> Record | None:
    """None where nothing was drawn yet, or not by this version."""
    try:
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return None
        record = Record(str(data["alt_text"]), str(data["missing"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if record.missing or (folder / PICTURE).is_file() else None


def write_record(folder: Path, record: Record) -> None:
    write_json(folder / RECORD, {"version": VERSION, **asdict(record)})
