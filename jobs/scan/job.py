"""Looks at every picture once, before anything is built on it.

`scan.csv` lists the usable pictures with their targets, SHA-256 and perceptual hash,
`quarantine.csv` the others with the reason, `duplicates.csv` what occurs twice. What a picture
shows is said by the folders it lies in, or by a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import skint
from jobs.scan.listing import SourceError, list_pictures, source_folder
from jobs.scan.notes import Outcome, tell
from jobs.scan.params import Params
from jobs.scan.scanned import (
    DUPLICATES,
    PARTLY,
    QUARANTINE,
    SCAN,
    SUBMISSION,
    SUMMARY,
    read_seen,
    read_targets,
    write_masks,
    write_pairs,
    write_plain,
    write_scan,
)
from jobs.scan.source_root import note_root
from jobs.scan.submission import Submission, named_as_in, read_submission
from jobs.scan.tables import open_table
from jobs.scan.targets import found_targets, in_order
from jobs.scan.wanted import Found, Reading, by_folders, by_table
from skint.dataset.target import Target
from skint.table import write_rows

__all__ = ["BadPictures", "Params", "scan"]


class BadPictures(skint.SkintError):
    """Some pictures cannot be used, and the plan says `on_bad: fail`."""


LIBRARIES = ("Pillow", "simplejpeg", "tifffile", "imagecodecs", "numpy")
"""Packages whose version may change what is seen of a file."""


@skint.job(devices=0, cpus=0, resume=True, libraries=LIBRARIES)
def scan(params: Params, ctx: skint.Context) -> None:
    from jobs.scan.duplicates import find_doubles
    from jobs.scan.journal import Journal
    from jobs.scan.look import Way
    from jobs.scan.looked import look_at_all
    from jobs.scan.weeding import weed

    root = source_folder(ctx.resolve(params.source), where="scan: source")
    found, submission = _found(params, ctx, root)
    if not found.wanted:
        raise SourceError(
            "there are no pictures to use",
            where=str(root),
            got=f"{len(found.refused)} refused, {found.other} other files" + _first(found.refused),
            wanted="pictures" if params.labels == "none" else "a folder for each class",
            next=None
            if params.table or params.labels == "none"
            else "for a test folder: `labels: none`; where a table has the labels: `table: FILE`",
        )
    way = Way(str(root), params.pages, params.sixteen_bits, lenient=params.on_bad == "keep")
    masks = [(n, wish.name) for n, wish in enumerate(params.wishes) if wish.kind == "mask"]
    with Journal(ctx.out, way, ctx.previous) as journal:
        looked = look_at_all(way, found.wanted, masks, journal, ctx)
    rows = looked.rows
    bad = sorted([*found.refused, *looked.unreadable])
    if bad and params.on_bad == "fail":
        raise BadPictures(
            f"{len(bad):,} picture{' cannot' if len(bad) == 1 else 's cannot'} be used",
            where=str(root / bad[0][0]),
            got=bad[0][1],
            next="remove or repair them, or set `on_bad: quarantine`",
        )
    earlier = {name: out for name, out in ctx.inputs.items() if (out / SCAN).is_file()}
    known = {name: read_targets(out) for name, out in earlier.items()}
    names = [wish.name for wish in params.wishes]
    doubles = find_doubles(
        [row.seen(names) for row in rows],
        {name: list(read_seen(out, known[name])) for name, out in earlier.items()},
        params.near_bits,
        ctx.check,
    )
    weeded = weed(rows, doubles.pairs, params.on_duplicate)
    quarantined = sorted([*bad, *weeded.quarantined])
    if not weeded.rows:
        raise SourceError(
            "none of the pictures can be used",
            where=str(root),
            got=f"{len(quarantined):,} unusable" + _first(quarantined),
        )
    targets = found_targets(params.wishes, (row.cells for row in weeded.rows))
    targets = _numbered_as(targets, known.values())
    _check_classes(targets, root, quarantined)
    outcome = Outcome(found, targets, known, doubles, weeded, quarantined, looked, submission)
    _write(ctx.out, root, ctx.base, outcome)
    journal.remove()
    tell(ctx, params, outcome)


def _found(params: Params, ctx: skint.Context, root: Path) -> tuple[Found, Submission | None]:
    submission = None
    if params.sample_submission is not None:
        path = ctx.resolve(params.sample_submission)
        submission = read_submission(path, "" if params.table else params.id)
    if params.table is None:
        found = by_folders(list_pictures(root, ctx.check), params.labels, params.group)
        named = False
    else:
        table = open_table(ctx.resolve(params.table))
        reading = Reading(params.wishes, params.path, params.id, params.group)
        found = by_table(root, table, reading, ctx.check)
        named = bool(params.id) or "id" in table.columns
    if submission is not None:
        found = named_as_in(submission, found, named_by_table=named)
    return found, submission


def _numbered_as(
    targets: Sequence[Target], known: Iterable[Sequence[Target]]
) -> tuple[Target, ...]:
    """The targets with the classes in the order of an earlier scan, so that their numbers agree."""
    first = {(one.name, one.kind): one for scan in reversed(list(known)) for one in scan}
    done = []
    for target in targets:
        theirs = first.get((target.name, target.kind), target).classes
        new = in_order(set(target.classes) - set(theirs))
        done.append(Target(target.name, target.kind, (*theirs, *new)))
    return tuple(done)


def _check_classes(
    targets: Sequence[Target], root: Path, quarantined: Sequence[tuple[str, str]]
) -> None:
    for target in targets:
        if target.kind == "class" and len(target.classes) < 2:
            raise SourceError(
                "there is only one class" if target.classes else "no picture has a known class",
                where=str(root),
                got=f"{target.name}: {target.classes[0] if target.classes else 'nothing'}"
                + _first(quarantined),
                wanted="at least two classes with a usable picture each",
            )


def _write(out: Path, root: Path, base: Path, outcome: Outcome) -> None:
    write_rows(out / QUARANTINE, ("path", "reason"), outcome.quarantined)
    write_rows(out / PARTLY, ("path", "reason"), outcome.looked.partly)
    if any(target.kind == "mask" for target in outcome.targets):
        write_masks(out, outcome.masks())
    write_pairs(out / DUPLICATES, outcome.doubles.pairs)
    write_plain(out / SUMMARY, outcome.summary())
    if outcome.submission is not None:
        asked = {"id": outcome.submission.id, "columns": list(outcome.submission.columns)}
        write_plain(out / SUBMISSION, asked)
    # Where the pictures lie is true on this machine only, so it is not part of the result.
    note_root(out, root, base)
    write_scan(out, outcome.weeded.rows, outcome.targets)


def _first(refused: Sequence[tuple[str, str]]) -> str:
    return f" ({refused[0][0]} {refused[0][1]})" if refused else ""
