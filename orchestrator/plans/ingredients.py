"""What keys were made of, kept so that a later plan can say what has changed since.

A record is plain data; what is long in it (a listing of a folder, the files of a program) stands
under its digest beside it. Each file in the folder is named by the digest of what stands in it: the
same thing is kept once, whoever refers to it, and a damaged file is no file.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.plans.digest import digest_of

SUFFIX = ".json.gz"


@dataclass(frozen=True)
class Ingredients:
    """Of one job's static key."""

    record: Mapping[str, Any]
    """version, uses, argv, code, params, paths, named_code, fold, folds, devices, smoke, libraries,
    environment."""
    details: Mapping[str, Any]
    """By digest: what stands in the record by its digest only."""

    @cached_property
    def key(self) -> str:
        """The static key."""
        return digest_of(self.record)


class KeptIngredients:
    """A folder of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, made_of: Iterable[Ingredients]) -> None:
        """Write those that are not there yet. A disk that does not take them costs words only."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for one in made_of:
                for digest, value in one.details.items():
                    self._write(digest, value)
                self._write(one.key, one.record)
        except OSError:
            return

    def record(self, key: str) -> Mapping[str, Any] | None:
        """What the static key was made of; None if that was not kept."""
        found = self.detail(key)
        return found if isinstance(found, dict) else None

    def detail(self, digest: str) -> Any:
        """What stands under a digest in a record; None if it was not kept, or is damaged."""
        try:
            with gzip.open(self._path(digest), "rt", encoding="utf-8") as file:
                value = json.load(file)
        except (OSError, EOFError, ValueError):
            return None
        return value if digest_of(value) == digest else None

    def forget_all_but(self, keys: Iterable[str]) -> int:
        """Remove what none of these static keys needs; the bytes that were freed."""
        wanted = set(keys)
        for key in tuple(wanted):
            record = self.record(key)
            if record is not None:
                wanted |= {str(record["code"]), *record["named_code"].values()}
                wanted |= {look[2] for look in record["paths"].values() if look[0] == "folder"}
        freed = 0
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path.name.removesuffix(SUFFIX) not in wanted:
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}{SUFFIX}"

    def _write(self, digest: str, value: object) -> None:
        path = self._path(digest)
        if path.exists():
            return
        beside = path.with_name(f".{path.name}-{os.getpid()}")
        with gzip.open(beside, "wt", compresslevel=1, encoding="utf-8") as file:
            json.dump(value, file, separators=(",", ":"), ensure_ascii=True)
        beside.replace(path)
