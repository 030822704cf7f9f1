"""`choice.json`: which entry a `better` kept. What needs it reads that entry's files.

Nothing is copied: the entry that was kept stands above whatever needs the choice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import skint

CHOICE = "choice.json"


def kept_folders(ctx: skint.Context, entry: str) -> tuple[Path, ...]:
    """The folders of the jobs of an entry, folds in order; of a `better`, those that it kept."""
    folders = ctx.group(entry)
    while len(folders) == 1 and (folders[0] / CHOICE).is_file():
        folders = ctx.group(read_choice(folders[0])["kept"])
    return folders


def read_choice(folder: Path) -> dict[str, Any]:
    """What a `better` published in `folder`."""
    choice: dict[str, Any] = json.loads((folder / CHOICE).read_text(encoding="utf-8"))
    return choice


def has_choice(ctx: skint.Context) -> bool:
    """Whether a `better` stands above: no plan can know beforehand what it keeps."""
    folders = (folder for entry in ctx.task.inputs for folder in ctx.group(entry))
    return any((folder / CHOICE).is_file() for folder in folders)


def find_kept(ctx: skint.Context, filename: str) -> tuple[Path, ...]:
    """As `ctx.find_all`, where a `better` stands for the entry that it kept.

    Raises InputNotFound.
    """
    for entry in ctx.task.inputs:
        files = tuple(folder / filename for folder in kept_folders(ctx, entry))
        found = tuple(file for file in files if file.exists())
        if found:
            return found
    return ctx.find_all(filename)
