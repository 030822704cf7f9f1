"""What files of code were found to say, remembered from one command to the next.

Reading the syntax trees of all that a plan's jobs import is a quarter of what `skint plan` costs,
and they seldom change. What is remembered goes by the file's contents and not by its date, so it is
never out of date; without it everything is read anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST = 2_000
"""Files that are remembered; the latest stay."""

Said = tuple[str, tuple[str, ...]]
"""The digest of a file's tree, and what it imports."""


class ParsedFiles:
    """What was found in files, by their contents; kept in `path`, or nowhere if that is None.

    `reader` is the file that does the finding: with another one, or another Python, all of it is
    forgotten.
    """

    def __init__(self, path: Path | None, reader: Path) -> None:
        self._path = path
        self._reader = f"{sys.version_info[:2]} {_sha256(reader.read_bytes())}"
        self._known: dict[str, Any] | None = None
        self._new: dict[str, Said] = {}

    def get(self, content: bytes, package: str) -> Said | None:
        """What a file of `package` with this content says; None if nobody has looked yet."""
        if self._path is None:
            return None
        if self._known is None:
            self._known = dict(_read(self._path, self._reader))
        said = self._known.get(_key(content, package))
        return None if said is None else (said[0], tuple(said[1]))

    def put(self, content: bytes, package: str, said: Said) -> None:
        self._new[_key(content, package)] = said

    def save(self) -> None:
        """Keep what is new. A disk that does not take it costs time and nothing else."""
        if self._path is None or not self._new or not self._path.parent.is_dir():
            return
        files = {**(self._known or {}), **self._new}
        latest = dict(list(files.items())[-MOST:])
        beside = self._path.with_name(f".{self._path.name}-{os.getpid()}")
        try:
            beside.write_text(json.dumps({"reader": self._reader, "files": latest}))
            beside.replace(self._path)
        except OSError:
            beside.unlink(missing_ok=True)


def _read(path: Path, reader: str) -> Mapping[str, Any]:
    try:
        kept = json.loads(path.read_text())
        return kept["files"] if kept["reader"] == reader else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _key(content: bytes, package: str) -> str:
    return f"{_sha256(content)} {package}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
