"""Content keys: two jobs with one key would compute the same, so the second is not run.

A job's key is made in two steps. `ingredients_of` covers what is known when the plan is read: type,
code, parameters, fold, files the parameters name, versions of libraries; its digest is the job's
static key. `job_key` adds the contents of its inputs, when
they exist. Neither knows the run's name, the account or the machine's speed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.plans.digest import digest_of
from orchestrator.plans.ingredients import Ingredients
from orchestrator.plans.samples import SMALL_BYTES, sample_of, samples_of
from orchestrator.plans.source import SourceTree

KEY_VERSION = 2
_TARGET = re.compile(r"[\w./-]+:[A-Za-z_]\w*")
_RUN_MODULE = re.compile(r"(?:-[bBdEiIOPqsSuvx]*m|--module=?)([\w.]*)")
"""`-m`, `-um`, and `-mpackage.module` with the module in the same word."""
_BLANK = re.compile(r"[ \t\r\n]")
_MINOR = re.compile(r"\d+(?:\.\d+)?")


def ingredients_of(
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
    libraries: Mapping[str, str],
    environment: Mapping[str, Any],
    sources: SourceTree,
) -> Ingredients:
    """What the key is made of as far as it is known before the inputs are.

    The values of a matrix are in `params` or `argv` already: a single job and the same job as part
    of a sweep share a result. Cores and memory change the time, not the outcome; the number of
    devices changes the batches.
    """
    details: dict[str, Any] = {}

    def detail(value: object) -> str:
        digest = digest_of(value)
        details[digest] = value
        return digest

    named = dict(_named_code(params, argv, base, sources))
    seen = _paths(params, frozenset(paths), argv, base, frozenset(named))
    record = {
        "version": KEY_VERSION,
        "uses": uses,
        "argv": list(argv),
        "code": detail(sources.code(uses)) if uses else None,
        "params": dict(params),
        "paths": {name: _kept(look, detail) for name, look in seen},
        "named_code": {name: detail(sources.code(target)) for name, target in named.items()},
        "fold": fold,
        "folds": folds,
        "devices": devices,
        "smoke": smoke,
        "libraries": dict(libraries),
        "environment": dict(environment),
    }
    return Ingredients(record, details)


def minor_of(version: str) -> str:
    """ "2.14" of "2.14.1+cu130": the part of a version by which results that cost hours go."""
    found = _MINOR.match(version)
    return found[0] if found else version


def job_key(static_key: str, input_digests: Mapping[str, str]) -> str:
    """The whole key. `input_digests` is the digest of `out/` of every ancestor, by job id."""
    return _job_key(static_key, tuple(input_digests.items()))


@lru_cache(maxsize=4096)
def _job_key(static_key: str, input_digests: tuple[tuple[str, str], ...]) -> str:
    """Remembered, since a job that waits is asked for it again and again."""
    return digest_of({"static": static_key, "inputs": dict(input_digests)})


def path_fingerprint(path: Path, base: Path | None = None) -> list[Any]:
    """What a file or folder looks like from outside: sizes and times, all that a look costs.

    Reading gigabytes of photographs to plan a run would be slower than the run. What lies under
    `base`, the plan's folder, is named as seen from there, so that a project may be moved; anything
    else by its absolute path. Equal sizes and times in two places promise nothing, so the contents
    of a few files are part of it, and those of a small file instead of its time. What photographs
    contain is hashed by `scan`, whose result is an input of every later job. Of a folder the last
    item is its listing: [name, size, time of change in ns] of each file.
    """
    path = path.absolute()
    plain = Path(os.path.normpath(path))  # `../photos` is not under the plan's folder
    name = str(plain)
    if base is not None and plain.is_relative_to(base.absolute()):
        name = f"./{plain.relative_to(base.absolute()).as_posix()}"
    if path.is_dir():
        listing = sorted(_entries(path, ""))
        return ["folder", name, listing, samples_of(path, listing)]
    if path.exists():
        stat = path.stat()
        if path.is_file() and stat.st_size <= SMALL_BYTES:
            return ["file", name, stat.st_size, sample_of(path, stat.st_size)]
        return ["file", name, stat.st_size, stat.st_mtime_ns]
    return ["absent", name]


def _kept(look: list[Any], detail: Callable[[object], str]) -> list[Any]:
    """A fingerprint as it stands in a record: listings can be long, and have a place of theirs."""
    return [*look[:2], detail(look[2]), look[3]] if look[0] == "folder" else look


def seen_from(base: Path, text: str) -> Path:
    """A path of a plan as its jobs see it: relative to the plan's folder, `~` is home."""
    try:
        return base / Path(text).expanduser()
    except RuntimeError:  # ~ and a name that is no user's
        return base / text


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, int, int]]:
    try:
        found = os.scandir(folder)
    except PermissionError:  # a program may be given /tmp; what is closed to us has no look
        yield prefix, -1, 0
        return
    with found as entries:
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
    params: Mapping[str, Any],
    declared: frozenset[str],
    argv: tuple[str, ...],
    base: Path,
    taken: frozenset[str],
) -> Iterator[tuple[str, Any]]:
    """`taken` are the words of `argv` whose file counts as code already."""
    for name, text in texts(params):
        path = seen_from(base, text)
        # Perhaps not declared as a path, but there is a file of that name: `weights: best.ckpt`.
        if name.split(".", 1)[0] in declared or _is_file(path):
            yield name, path_fingerprint(path, base)
    for name, word in _words("argv", argv):
        if name in taken:
            continue
        for path in (seen_from(base, text) for text in _readings(word)):
            if _is_file(path) or _is_other_folder(path, base):
                yield name, path_fingerprint(path, base)
                break


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
    params: Mapping[str, Any], argv: tuple[str, ...], base: Path, sources: SourceTree
) -> Iterator[tuple[str, str]]:
    """Targets that a parameter or a command names: `model: my_nets:Small`, `python train.py`."""
    for name, text in texts(params):
        target = _target_of(text, base, sources)
        if target:
            yield name, target
    previous = ""
    for name, word in _words("argv", argv):
        targets = [_target_of(text, base, sources) for text in _readings(word)]
        target = next(filter(None, [_module_of(previous, word, sources), *targets]), None)
        if target:
            yield name, target
        previous = word


def _target_of(text: str, base: Path, sources: SourceTree) -> str | None:
    """What `SourceTree.code` takes, if `text` is `module:name`, `file.py:name` or `file.py`."""
    file, _, function = text.rpartition(":") if _TARGET.fullmatch(text) else (text, "", "")
    if file.endswith(".py"):
        path = seen_from(base, file)
        readable = _is_file(path) and os.access(path, os.R_OK)
        return f"{path}:{function}" if readable and sources.is_first_party(path) else None
    return text if function and sources.stands_beside_the_plan(text) else None


def _module_of(previous: str, word: str, sources: SourceTree) -> str | None:
    """The target of `python -m package.module`, if `word` is the module and it is first-party."""
    flag = _RUN_MODULE.fullmatch(word)
    if flag is None or not flag[1]:
        after = _RUN_MODULE.fullmatch(previous)
        module = word if after is not None and not after[1] else ""
    else:
        module = flag[1]
    target = f"{module}.__main__:"  # of a package; after a plain module it finds nothing more
    return target if module and sources.stands_beside_the_plan(target) else None


def _words(name: str, words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every word with a name; of `bash -c "python fit.py"` also the words inside the last one."""
    for number, word in enumerate(words):
        yield f"{name}.{number}", word
        if _BLANK.search(word):
            yield from _words(f"{name}.{number}", _split(word))


def _split(text: str) -> list[str]:
    reader = shlex.shlex(text, posix=True, punctuation_chars="();<>|&`")
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        return list(reader)
    except ValueError:  # a quote that nobody closes: a sentence, perhaps, or another language
        return text.split()


def _readings(word: str) -> Iterable[str]:
    """What may be a file in a word: `--data=photos` is also `photos`, `x=a=b` is `a=b` and `b`."""
    found = (word, word.partition("=")[2], word.rpartition("=")[2])
    return dict.fromkeys(text for text in found if text)


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
