"""The files that a run has made, with their sizes. JOB is a job such as train.fold0, or an entry of
the plan. With --copy-to they are put into DIR/JOB: what is there already is left alone, and nothing
is overwritten. Files of another run that were used again are among them."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.artifacts import KINDS, Artifact, Made, copy, made_in, only
from orchestrator.cli.named import read_named
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import table
from orchestrator.cli.printing.size import format_size
from orchestrator.home import Home
from orchestrator.state.state import RunState
from skint.errors import NOT_FOUND, OK, SkintError

if TYPE_CHECKING:
    from orchestrator.shapes.artifacts import Artifacts

EXAMPLES = ("skint artifacts seedlings-1", "skint artifacts seedlings-1 train.fold0 --path")
MOST = 8
"""Files of a job that are listed where no job is named; the others are counted."""


class NoArtifacts(SkintError):
    """There is nothing of what is asked for."""

    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("job", metavar="JOB", nargs="?", help="a job, or an entry of the plan")
    parser.add_argument(
        "--only",
        metavar="KIND",
        action="append",
        choices=KINDS,
        default=[],
        help=f"{', '.join(KINDS)}; may be repeated",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--copy-to", metavar="DIR", type=Path, help="copy them into DIR/JOB")
    how.add_argument("--path", action="store_true", help="only the folders, one a line")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    state = read_named(home, [arguments.name])
    found = chosen(state.runs[arguments.name], arguments.job, arguments.only)
    copied = None
    if arguments.copy_to is not None:
        copied = copy(found, arguments.copy_to)
    if arguments.json:
        print_answer(told(arguments.name, found, arguments.copy_to))
    elif arguments.path:
        print("\n".join(one.folder for one in found))
    elif copied is not None:
        there = f", {copied[1]} were there already" if copied[1] else ""
        size = format_size(sum(one.size_bytes for one in found))
        print(f"{_count(copied[0], 'file')} copied to {arguments.copy_to}{there} · {size} in all")
    else:
        most = None if arguments.job or arguments.manner.verbose else MOST
        print("\n".join(render(arguments.name, found, most)))
    return OK


def chosen(run: RunState, job: str | None, kinds: Sequence[str]) -> list[Made]:
    """What is asked for. Raises NoArtifacts."""
    everything = made_in(run)
    found = [one for one in everything if job in (None, one.job, one.cell, one.group)]
    if job is not None and not found:
        raise NoArtifacts(
            f"{job} of {run.name} has made nothing",
            wanted=", ".join(dict.fromkeys(one.job for one in everything)) or None,
            next=f"skint show {run.name}",
        )
    found = only(found, kinds)
    if not found:
        of = f"{' or '.join(kinds)} files" if kinds else "files"
        raise NoArtifacts(f"there are no {of} of {run.name} yet", next=f"skint show {run.name}")
    return found


def render(name: str, found: Sequence[Made], most: int | None) -> Iterator[str]:
    rows = [row for one in found for row in _rows(one, name, most)]
    yield table(("job", "file", "kind", ">size"), rows)
    whole = sum(one.size_bytes for one in found)
    files = sum(len(one.files) for one in found)
    yield ""
    yield f"{_count(files, 'file')}, {format_size(whole)}"
    if any(one.status == "unfinished" for one in found):
        yield "unfinished: what an attempt has left that has no result; it goes on from there"


def _rows(one: Made, run: str, most: int | None) -> Iterator[tuple[str, str, str, str]]:
    notes = [one.status] if one.status == "unfinished" else []
    notes += [f"from {one.run}"] if one.run != run else []
    head = f"{one.job} ({', '.join(notes)})" if notes else one.job
    if not one.files:
        gone = "its files are gone; they are made again when they are needed"
        yield head, "it made no files" if Path(one.folder).is_dir() else gone, "", ""
    shown, rest = _shown(one.files, most)
    for file in shown:
        yield head, file.name, file.kind, format_size(file.size_bytes)
        head = ""
    if rest:
        kinds = Counter(file.kind for file in rest)
        of = ", ".join(kinds) if len(kinds) <= 2 else "other"
        size = format_size(sum(file.size_bytes for file in rest))
        yield head, f"and {len(rest):,} more", of, size


def _shown(
    files: Sequence[Artifact], most: int | None
) -> tuple[Sequence[Artifact], Sequence[Artifact]]:
    """Those that are listed, what matters most first, and the rest."""
    order = sorted(files, key=lambda file: (KINDS.index(file.kind), file.name))
    if most is None or len(order) <= most + 1:
        return order, ()
    return order[:most], order[most:]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def told(run: str, found: Sequence[Made], copied_to: Path | None) -> Artifacts:
    """The same for programs: every file."""
    from orchestrator.shapes import artifacts as shapes

    jobs = (
        shapes.Made(
            job=one.job,
            status=one.status,
            folder=one.folder,
            made_by=one.made_by,
            made_in=one.run,
            size_bytes=one.size_bytes,
            files=tuple(shapes.File(f.name, f.kind, f.size_bytes) for f in one.files),
        )
        for one in found
    )
    whole = sum(one.size_bytes for one in found)
    return shapes.Artifacts(run, whole, tuple(jobs), None if copied_to is None else str(copied_to))
