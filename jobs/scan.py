"""Looks at every picture of a folder once, before anything is built on it.

`scan.csv` lists the usable pictures with class and SHA-256, `quarantine.csv` the others with the
reason; `summary.json` counts them. The class of a picture is the first folder under `source`, or
stands in a table.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

import skint
from jobs.listing import Listing, SourceError, list_pictures, refusal, source_folder
from skint.attempt import write_atomic, write_json
from skint.table import TableError, read_rows, write_rows

COLUMNS = ("path", "label", "group", "sha256", "width", "height", "channels", "dtype", "bytes")


class BadPictures(skint.SkintError):
    """Some pictures cannot be used, and the plan says `on_bad: fail`."""


class Params(BaseModel):
    """What `scan` looks at."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: Path
    """The folder of pictures; its first folder level names the classes."""
    table: Path | None = None
    """A CSV file with `path` (relative to `source`), `label` and perhaps `group`."""
    group: str | None = None
    """A regular expression: what it (or its first group) finds in the path is the group."""
    on_bad: Literal["quarantine", "fail"] = "quarantine"

    @field_validator("group")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


@dataclass(frozen=True)
class Wanted:
    """A picture that is to be looked at."""

    path: str
    label: str
    group: str


@skint.job(devices=0, cpus=0)
def scan(params: Params, ctx: skint.Context) -> None:
    root = source_folder(ctx.resolve(params.source), where="scan: source")
    if params.table is None:
        wanted, refused, other = _by_folder(list_pictures(root), params.group)
    else:
        wanted, refused, other = _by_table(root, ctx.resolve(params.table), params.group)
    if not wanted:
        raise SourceError(
            "there are no pictures to use",
            where=str(root),
            got=f"{len(refused)} refused, {other} other files" + _first(refused),
            wanted="a folder for each class, with pictures in it",
        )
    rows, unreadable = _look(root, wanted, ctx)
    quarantined = sorted([*refused, *unreadable])
    if quarantined and params.on_bad == "fail":
        raise BadPictures(
            f"{_count(len(quarantined), 'picture')} cannot be used",
            where=str(root / quarantined[0][0]),
            got=quarantined[0][1],
            next="remove or repair them, or set `on_bad: quarantine`",
        )
    classes = Counter(str(row[1]) for row in rows)
    if len(classes) < 2:
        raise SourceError(
            "there is only one class" if classes else "none of the pictures can be used",
            where=str(root),
            got=next(iter(classes), _count(len(quarantined), "unusable picture"))
            + _first(quarantined),
            wanted="at least two classes with a usable picture each",
        )
    _write(ctx.out, root, rows, quarantined, other)
    _tell(ctx, {item.label for item in wanted}, classes, quarantined, rows)


def _by_folder(
    listing: Listing, group: str | None
) -> tuple[list[Wanted], list[tuple[str, str]], int]:
    wanted, refused = [], list(listing.refused)
    for path in listing.pictures:
        label, slash, _rest = path.partition("/")
        if slash:
            wanted.append(Wanted(path, label, _group(path, group)))
        else:
            refused.append((path, "lies in no class folder"))
    return wanted, refused, listing.other


def _by_table(
    root: Path, table: Path, group: str | None
) -> tuple[list[Wanted], list[tuple[str, str]], int]:
    wanted: dict[str, Wanted] = {}
    refused = []
    for number, row in enumerate(read_rows(table, ("path", "label"))):
        path, label, where = row["path"], row["label"].strip(), f"{table}:{number + 2}"
        if not label:
            raise TableError("this picture has no label", where=where, got=path)
        if path in wanted:
            raise TableError("this picture stands in the table twice", where=where, got=path)
        wanted[path] = Wanted(path, label, row.get("group", "") or _group(path, group))
        if reason := refusal(root, path):
            refused.append((path, reason))
    bad = {path for path, _reason in refused}
    return [wanted[path] for path in sorted(wanted) if path not in bad], refused, 0


def _look(
    root: Path, wanted: Sequence[Wanted], ctx: skint.Context
) -> tuple[list[tuple[object, ...]], list[tuple[str, str]]]:
    """Rows of `scan.csv` and of `quarantine.csv`, in the order of `wanted`."""
    from functools import partial

    from jobs.look import look_at, lost
    from jobs.pool import spread

    rows: list[tuple[object, ...]] = []
    bad = []
    looks = spread(
        partial(look_at, str(root)),
        [item.path for item in wanted],
        processes=ctx.cpus,
        check=ctx.check,
        crashed=lost,
    )
    for done, (item, seen) in enumerate(zip(wanted, looks, strict=True), 1):
        if seen.facts is None:
            bad.append((item.path, seen.reason))
        else:
            facts = seen.facts
            shape = (facts.width, facts.height, facts.channels, facts.dtype)
            rows.append((item.path, item.label, item.group, seen.sha256, *shape, seen.bytes))
        ctx.progress(done, len(wanted))
    return rows, bad


def _write(
    out: Path,
    root: Path,
    rows: Sequence[tuple[object, ...]],
    quarantined: Sequence[tuple[str, str]],
    other: int,
) -> None:
    write_rows(out / "scan.csv", COLUMNS, rows)
    write_rows(out / "quarantine.csv", ("path", "reason"), quarantined)
    classes = Counter(str(row[1]) for row in rows)
    summary = {
        "files": len(rows),
        "classes": {name: classes[name] for name in sorted(classes)},
        "quarantined": len(quarantined),
        "other": other,
        "copies": len(rows) - len({row[3] for row in rows}),
    }
    write_atomic(out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
    # Where the pictures lie is true on this machine only, so it is not part of the result.
    (out / "local").mkdir(exist_ok=True)
    write_json(out / "local" / "source.json", {"root": str(root)})


def _tell(
    ctx: skint.Context,
    wanted: set[str],
    classes: Mapping[str, int],
    quarantined: Sequence[tuple[str, str]],
    rows: Sequence[tuple[object, ...]],
) -> None:
    ctx.note(f"{_count(sum(classes.values()), 'picture')} in {len(classes)} classes")
    if quarantined:
        path, reason = quarantined[0]
        example = f"{path} {reason}" + (", …" if len(quarantined) > 1 else "")
        ctx.note(f"{_count(len(quarantined), 'file')} quarantined: {example}")
    for label in sorted(wanted - set(classes)):
        ctx.note(f"no picture of the class {label} can be used: it is left out")
    labels_of: dict[object, set[object]] = {}
    for row in rows:
        labels_of.setdefault(row[3], set()).add(row[1])
    contradictions = sum(len(labels) > 1 for labels in labels_of.values())
    if contradictions:
        ctx.note(f"{_count(contradictions, 'picture')} with the same bytes in two classes")


def _group(path: str, pattern: str | None) -> str:
    match = re.search(pattern, path) if pattern else None
    return match[match.re.groups and 1] or "" if match else ""


def _first(refused: Sequence[tuple[str, str]]) -> str:
    return f" ({refused[0][0]} {refused[0][1]})" if refused else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
