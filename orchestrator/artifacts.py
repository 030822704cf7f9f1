"""The files that the jobs of a run have made: checkpoints, predictions, reports, tables."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from orchestrator.graph import Job
from orchestrator.state.state import RunState, run_of
from skint.errors import SkintError

Kind = Literal["checkpoint", "model", "predictions", "report", "table", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_BY_SUFFIX: Mapping[str, Kind] = {
    **dict.fromkeys((".ckpt",), "checkpoint"),
    **dict.fromkeys((".pt", ".pth", ".safetensors", ".onnx", ".joblib", ".pkl"), "model"),
    **dict.fromkeys((".html", ".md", ".png", ".svg", ".pdf"), "report"),
    **dict.fromkeys((".csv", ".tsv", ".parquet"), "table"),
}
_PREDICTIONS = ("predictions", "submission")
PART = ".skint-part"
"""Ends the name of a copy that is not whole yet."""


class CannotCopy(SkintError):
    """The files cannot be put there."""


@dataclass(frozen=True)
class Artifact:
    """One file."""

    name: str
    """Relative to the folder of its job, with `/`."""
    kind: Kind
    size_bytes: int


@dataclass(frozen=True)
class Made:
    """What one job has made, or has used of another run."""

    job: str
    group: str
    cell: str
    status: str
    """Of the job; `unfinished` where these are leftovers of its newest attempt."""
    folder: str
    files: tuple[Artifact, ...]
    """By name; empty where they were removed, or there were none."""
    made_by: str
    """The attempt."""
    run: str
    """The run that it was made in."""

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def made_in(run: RunState) -> list[Made]:
    """Of every job that has a result, or an attempt that left something; in the graph's order.

    Rehearsals have nothing that is of use to anybody.
    """
    found = (_made(run, job) for job in run.graph.jobs if not job.smoke)
    return [made for made in found if made is not None]


def _made(run: RunState, job: Job) -> Made | None:
    state = run.jobs[job.id]
    newest = run.current(job.id)
    if state.has_result and state.out:
        out, by, status = state.out, state.result_of, str(state.status)
    elif newest is not None:
        out, by, status = newest.out, newest.id, "unfinished"
    else:
        return None
    files = tuple(artifacts_in(Path(out)))
    if not files and status == "unfinished":
        return None
    return Made(job.id, job.group, job.cell, status, out, files, by, run_of(by))


def artifacts_in(folder: Path) -> Iterator[Artifact]:
    """Every file under it, by name. What vanishes meanwhile is left out."""
    names = sorted(
        (Path(at, name) for at, _, files in os.walk(folder) for name in files), key=Path.as_posix
    )
    for path in names:
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError:
            continue
        name = path.relative_to(folder).as_posix()
        yield Artifact(name, kind_of(name), size_bytes)


def kind_of(name: str) -> Kind:
    """By its name: a run may be made by any program."""
    path = Path(name)
    if path.stem.startswith(_PREDICTIONS):
        return "predictions"
    return _BY_SUFFIX.get(path.suffix.lower(), "other")


def copy(made: Sequence[Made], target: Path) -> tuple[int, int]:
    """Put the files into `target`/JOB/NAME; how many were copied, and how many were there already.

    A copy is whole or not there. Raises CannotCopy before the first one where a file of the same
    name has other content, or the disk has no room; nothing is overwritten.
    """
    wanted = [
        (Path(one.folder, f.name), target / one.job / f.name) for one in made for f in one.files
    ]
    missing, there = [], 0
    for source, copy_of in wanted:
        if not copy_of.exists():
            missing.append((source, copy_of))
        elif copy_of.is_file() and filecmp.cmp(source, copy_of, shallow=False):
            there += 1
        else:
            raise CannotCopy(
                "there is another file of this name; nothing was copied",
                where=str(copy_of),
                next="another folder, or move that file away",
            )
    try:
        _check_room(target, sum(source.stat().st_size for source, _ in missing))
        for source, copy_of in missing:
            copy_of.parent.mkdir(parents=True, exist_ok=True)
            part = copy_of.with_name(f"{copy_of.name}{PART}")
            shutil.copy2(source, part)
            part.replace(copy_of)
    except OSError as error:
        raise CannotCopy(
            "the files cannot be copied",
            where=error.filename or str(target),
            got=error.strerror,
            next="another folder; what was copied so far is whole",
        ) from error
    return len(missing), there


def _check_room(target: Path, size_bytes: int) -> None:
    nearest = target.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    free = shutil.disk_usage(nearest).free
    if size_bytes > free:
        raise CannotCopy(
            "the disk has no room for them; nothing was copied",
            where=str(target),
            got=f"{free:,} bytes free",
            wanted=f"{size_bytes:,} bytes",
        )


def only(made: Iterable[Made], kinds: Sequence[str]) -> list[Made]:
    """With files of these kinds alone; all of them where none is named."""
    kept = (
        replace(one, files=tuple(file for file in one.files if not kinds or file.kind in kinds))
        for one in made
    )
    return [one for one in kept if one.files or not kinds]
