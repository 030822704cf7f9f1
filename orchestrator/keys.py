"""Content keys: two jobs with one key would compute the same, so the second is not run.

A job's key is made in two steps. `static_key` covers what is known when the plan is read: type,
code, parameters, fold, files the parameters name. `job_key` adds the contents of its inputs, when
they exist. Neither knows the run's name, the account or the machine's speed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.source import SourceTree

KEY_VERSION = 1
_TARGET = re.compile(r"(?:\./)?[\w./-]+:[A-Za-z_]\w*")


def digest_of(value: object) -> str:
    """SHA-256 of plain data; dictionaries count by content, not by order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def static_key(
    *,
    uses: str,
    argv: tuple[str, ...],
    params: Mapping[str, Any],
    paths: Iterable[str],
    base: Path,
    fold: int | None,
    folds: int | None,
    devices: int,
    smoke: bool,
    environment: Mapping[str, Any],
    sources: SourceTree,
) -> str:
    """The key as far as it is known before the inputs are.

    The values of a matrix are in `params` or `argv` already: a single job and the same job as part
    of a sweep share a result. Cores and memory change the time, not the outcome; the number of
    devices changes the batches.
    """
    return digest_of(
        {
            "version": KEY_VERSION,
            "uses": uses,
            "argv": argv,
            "code": sources.digest(uses) if uses else None,
            "params": params,
            "paths": dict(_paths(params, frozenset(paths), argv, base)),
            "named_code": dict(_named_code(params, argv, sources)),
            "fold": fold,
            "folds": folds,
            "devices": devices,
            "smoke": smoke,
            "environment": environment,
        }
    )


def job_key(static_key: str, input_digests: Mapping[str, str]) -> str:
    """The whole key. `input_digests` is the digest of `out/` of every ancestor, by job id."""
    return digest_of({"static": static_key, "inputs": dict(input_digests)})


def path_fingerprint(path: Path) -> list[Any]:
    """What a file or folder looks like from outside: sizes and times, all that a look costs.

    Reading gigabytes of photographs to plan a run would be slower than the run. The absolute path
    is part of it, because equal sizes and times in two places promise nothing; what the photographs
    contain is hashed by `scan`, whose result is an input of every later job.
    """
    path = path.absolute()
    if path.is_dir():
        return ["folder", str(path), digest_of(sorted(_entries(path, "")))]
    if path.exists():
        stat = path.stat()
        return ["file", str(path), stat.st_size, stat.st_mtime_ns]
    return ["absent", str(path)]


def seen_from(base: Path, text: str) -> Path:
    """A path of a plan as its jobs see it: relative to the plan's folder, `~` is home."""
    try:
        return base / Path(text).expanduser()
    except RuntimeError:  # ~ and a name that is no user's
        return base / text


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield name + "/", 0, 0
                yield from _entries(Path(entry.path), name + "/")
                continue
            try:
                stat = entry.stat()
            except FileNotFoundError:  # a link to nothing, or gone since
                yield name, -1, 0
            else:
                yield name, stat.st_size, stat.st_mtime_ns


def _paths(
    params: Mapping[str, Any], declared: frozenset[str], argv: tuple[str, ...], base: Path
) -> Iterator[tuple[str, Any]]:
    for name, text in texts({**params, "argv": argv}):
        if name.startswith("argv."):
            text = text.rpartition("=")[2]  # --data=photos
            if text.endswith(".py"):
                continue  # counts as code, below
        path = seen_from(base, text)
        if name.split(".", 1)[0] in declared:
            yield name, path_fingerprint(path)
        elif _is_file(path) or (name.startswith("argv.") and _is_other_folder(path, base)):
            # Not declared as a path, but there is a file of that name: `weights: best.ckpt`.
            yield name, path_fingerprint(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a path may be, or with a null byte
        return False


def _is_other_folder(path: Path, base: Path) -> bool:
    """A folder that a program is given; not one that the plan, and so our results, may lie in."""
    try:
        return path.is_dir() and not base.resolve().is_relative_to(path.resolve())
    except (OSError, ValueError):
        return False


def _named_code(
    params: Mapping[str, Any], argv: tuple[str, ...], sources: SourceTree
) -> Iterator[tuple[str, str]]:
    """Code that a parameter or a command names: `model: my_nets:Small`, `python train.py`."""
    for name, text in texts({**params, "argv": argv}):
        if _TARGET.fullmatch(text) or text.endswith(".py"):
            target = text if ":" in text else f"./{text}:"
            if sources.stands_beside_the_plan(target):
                yield name, sources.digest(target)


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside plain data, with the way to it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{name}.{number}")
