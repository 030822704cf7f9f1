"""Reading the folders of attempts, in which anything may stand and from which anything may go."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from skint.attempt import AttemptDir, Exit
from skint.process import Identity
from skint.shim import is_tight

_log = logging.getLogger(__name__)

TAIL_BYTES = 1 << 16
"""Enough of the end of a file of events to hold the last line."""


def exit_of(directory: AttemptDir) -> Exit | None:
    """The exit record; None also where there is one that no shim has written."""
    try:
        return directory.read_exit()
    except ValueError:
        return None


def could_not_write(directory: AttemptDir) -> bool:
    """Whether a shim left no exit record because there was no room, as far as can be told now."""
    return any(directory.path.glob(f"{directory.exit.name}.*.tmp")) or is_tight(directory.path)


def identity_of(directory: AttemptDir) -> Identity | None:
    """Who the shim says it is; None where that cannot be read."""
    try:
        identity = Identity(**json.loads(directory.handle.read_text()))
    except (ValueError, TypeError):
        return None
    return identity if type(identity.pid) is int else None


def last_line_ms(directory: AttemptDir) -> int:
    """When its last line says that it was written; 0 where none does."""
    try:
        with open(directory.events, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return 0
    for text in reversed(lines):
        try:
            at_ms = json.loads(text)["at"]
        except (ValueError, TypeError, KeyError):  # cut short, or no event
            continue
        if type(at_ms) is int:
            return at_ms
    return 0


def folders(path: Path, *, depth: int) -> Iterator[Path]:
    """Folders so many levels below; any of them may be removed while they are listed."""
    try:
        below = sorted(one for one in path.iterdir() if one.is_dir())
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("%s is passed over: %s", path, error)
        return
    for folder in below:
        if depth == 1:
            yield folder
        else:
            yield from folders(folder, depth=depth - 1)
