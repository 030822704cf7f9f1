"""How far an interrupted job that fills files row by row came, and taking up its work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skint.attempt import write_atomic


class Journal:
    """`out/local/NAME`: how many rows, from the first, are whole in the unfinished files.

    It is written after what it speaks of is on the disk, and replaced as a whole: whenever the
    process or the machine dies, what it says is true.
    """

    def __init__(self, out: Path, name: str, facts: Mapping[str, Any]) -> None:
        """`facts` are equal exactly where unfinished files may be taken up; plain values."""
        self.out = out
        self.fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        self.path = out / "local" / name

    def take_over(self, previous: Path | None) -> int:
        """Rename an earlier attempt's unfinished files into `out`; how many rows they hold.

        0 where there is nothing to go on with: then nothing of it is used.
        """
        if previous is None:
            return 0
        try:
            noted = json.loads((previous / "local" / self.path.name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return 0
        if noted["fingerprint"] != self.fingerprint:
            return 0
        files = [Path(name) for name in noted["bytes"]]
        # A file that was cut short would be filled up with zeros, and nobody would see it.
        if not all(_holds(previous / file, noted["bytes"][file.as_posix()]) for file in files):
            return 0
        try:
            for file in files:
                (self.out / file).parent.mkdir(parents=True, exist_ok=True)
                (previous / file).rename(self.out / file)
            self.path.parent.mkdir(exist_ok=True)
            # Last: whoever finds it finds all the files.
            (previous / "local" / self.path.name).rename(self.path)
        except OSError:
            return 0  # on another disk: decoding again is hardly slower than copying
        return int(noted["done"])

    def write(self, done: int, files: Iterable[Path]) -> None:
        """Say that the first `done` rows are whole in these files, all of them under `out`."""
        from skint.dataset.canvas import flush  # imports NumPy

        files = list(files)
        flush(files)
        noted = {
            "fingerprint": self.fingerprint,
            "done": done,
            "bytes": {file.relative_to(self.out).as_posix(): file.stat().st_size for file in files},
        }
        self.path.parent.mkdir(exist_ok=True)
        write_atomic(self.path, json.dumps(noted).encode())

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def drop(self, files: Iterable[Path]) -> None:
        """Remove unfinished files that the journal does not speak of yet: nobody can use them."""
        if not self.path.exists():
            for file in files:
                file.unlink(missing_ok=True)


def _holds(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size >= size
