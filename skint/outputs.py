"""The content of a job's result: what later jobs' keys are made of. Standard library only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

LOCAL = "local"
"""`out/local/` holds what is true on this machine only (absolute paths, timings); not hashed."""


def hash_outputs(out: Path) -> dict[str, str]:
    """SHA-256 of each file under `out` by relative path with `/`, sorted, without `local/`.

    A symbolic link is not followed: the text it points to is what is hashed.
    """
    return {
        path.relative_to(out).as_posix(): _sha256(path)
        for path in sorted(_files(out, skip=out / LOCAL), key=Path.as_posix)
    }


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


def _sha256(path: Path) -> str:
    if path.is_symlink():
        return hashlib.sha256(b"link\0" + os.fsencode(path.readlink())).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
