"""The content of a job's result: what later jobs' keys are made of. Standard library only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LOCAL = "local"
"""`out/local/` holds what is true on this machine only (absolute paths, timings); not hashed."""


def hash_outputs(out: Path) -> dict[str, str]:
    """SHA-256 of each file under `out` by relative path with `/`, sorted, without `local/`.

    A symbolic link is not followed: the text it points to is what is hashed.
    """
    return {
        path.relative_to(out).as_posix(): sha256_of(path)
        for path in sorted(_files(out, skip=out / LOCAL), key=Path.as_posix)
    }


def stamps_of(out: Path, names: Iterable[str] | None = None) -> dict[str, list[int]]:
    """Size and time of change (ns) of each published file by name, or of `names` that are there.

    While they stay the same a file is taken for the one that was hashed: a look is cheap, and
    reading gigabytes is not. True on this machine only.
    """
    if names is None:
        names = [path.relative_to(out).as_posix() for path in _files(out, skip=out / LOCAL)]
    found = {}
    for name in sorted(names):
        try:
            status = (out / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        found[name] = [status.st_size, status.st_mtime_ns]
    return found


def digest_of(outputs: Mapping[str, str]) -> str:
    """SHA-256 over names and hashes in sorted order: equal exactly when the contents are."""
    total = hashlib.sha256()
    for path, sha256 in sorted(outputs.items()):
        total.update(path.encode("utf-8", "surrogateescape") + b"\0" + sha256.encode() + b"\n")
    return total.hexdigest()


def _files(folder: Path, skip: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if path != skip:
                yield from _files(path, skip)
        elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
            yield path


def sha256_of(path: Path) -> str:
    """Of a file's contents; of a symbolic link, of the text it points to."""
    if path.is_symlink():
        return hashlib.sha256(b"link\0" + os.fsencode(path.readlink())).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
