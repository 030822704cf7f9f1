"""What a scan tells a person, and counts in `summary.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import skint
from jobs.scan.duplicates import MOST_PAIRS, Doubles, Pair
from jobs.scan.params import Params
from jobs.scan.scanned import MaskFile
from jobs.scan.submission import Submission, doubts
from jobs.scan.targets import look_alikes
from jobs.scan.wanted import Found
from jobs.scan.weeding import Weeded, named
from skint.dataset.target import SEPARATOR, Target

if TYPE_CHECKING:
    from jobs.scan.looked import Looked

_FEW_LEVELS = 128
_PARTS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation"))
"""Folders that are parts of a set rather than classes."""


@dataclass(frozen=True)
class Outcome:
    """All that a scan has found."""

    found: Found
    targets: Sequence[Target]
    known: Mapping[str, Sequence[Target]]
    """Targets of earlier scans, by the plan's entry."""
    doubles: Doubles
    weeded: Weeded
    quarantined: Sequence[tuple[str, str]]
    looked: Looked
    submission: Submission | None

    def counts(self, number: int) -> dict[str, int]:
        """Pictures of each class of a target, in the order of its classes; "" is unknown."""
        found: Counter[str] = Counter()
        target = self.targets[number]
        for row in self.weeded.rows:
            cell = row.cells[number]
            found.update(cell.split(SEPARATOR) if target.kind == "multilabel" else [cell])
        return {name: found[name] for name in (*target.classes, "") if found[name]}

    def masks(self) -> list[MaskFile]:
        """Of the pictures that are used, in the order of targets and paths."""
        names = [(n, one.name) for n, one in enumerate(self.targets) if one.kind == "mask"]
        used = {(name, row.cells[n]) for row in self.weeded.rows for n, name in names}
        return [self.looked.masks[one] for one in sorted(used) if one[1]]

    def summary(self) -> dict[str, Any]:
        pairs = self.doubles.pairs
        rows = self.weeded.rows
        return {
            "pictures": len(rows),
            "files": len({row.path for row in rows}),
            "targets": {
                target.name: self.counts(number)
                for number, target in enumerate(self.targets)
                if target.kind in ("class", "multilabel")
            },
            "quarantined": len(self.quarantined),
            "partly": len(self.looked.partly),
            "dropped": self.weeded.dropped,
            "exact_duplicates": sum(pair.kind == "exact" for pair in pairs),
            "near_duplicates": sum(pair.kind == "near" for pair in pairs),
        }


def tell(ctx: skint.Context, params: Params, outcome: Outcome) -> None:
    """Note all of it: what matters most comes first, and a table of jobs shows that."""
    for sentence in (
        *_of_losses(outcome),
        *_of_submission(outcome),
        *_of_folders(params, outcome),
        _of_pictures(outcome),
        *_of_targets(outcome),
        *_of_names(params, outcome),
        *_of_duplicates(outcome),
    ):
        ctx.note(sentence)


def _of_losses(outcome: Outcome) -> list[str]:
    """What cannot be used, or not whole."""
    said = []
    if outcome.quarantined:
        said.append(_listed(outcome.quarantined, "file", "quarantined"))
    for number, target in enumerate(outcome.targets):
        if target.kind == "class":
            left = {row.cells[number] for row in outcome.weeded.rows}
            wanted = {one.cells[number] for one in outcome.found.wanted}
            for name in sorted(wanted - left - {""}):
                said.append(f"no picture of the class {name} can be used: it is left out")
    if outcome.looked.partly:
        said.append(_listed(outcome.looked.partly, "broken picture", "used as far as it goes"))
    return [*said, *_of_sixteen_bits(outcome.looked.levels)]


def _of_sixteen_bits(levels: Sequence[int]) -> list[str]:
    """Photos of which little is left: `levels` has what each of them uses once it has 8 bits."""
    if not levels or median(levels) >= _FEW_LEVELS:
        return []
    return [
        f"the {_count(len(levels), 'picture')} of 16 bits become 8 bits, of whose 255 levels half "
        f"of them use {int(median(levels))} or fewer: to keep 16 bits, `sixteen_bits: bands`"
    ]


def _of_folders(params: Params, outcome: Outcome) -> list[str]:
    if params.table is None and params.labels == "first":
        (target,) = outcome.targets
        if _PARTS.issuperset(name.lower() for name in target.classes):
            return [
                f"the classes are {' and '.join(target.classes)}: to scan one of these folders, "
                "say `source: FOLDER/train`; where classes lie deeper, `labels: last`"
            ]
    return []


def _of_pictures(outcome: Outcome) -> str:
    said = _count(len(outcome.weeded.rows), "picture")
    for target in outcome.targets:
        if target.kind in ("class", "multilabel"):
            several = "" if len(outcome.targets) == 1 else f" of {target.name}"
            return f"{said} in {len(target.classes)} classes{several}"
    return said


def _of_names(params: Params, outcome: Outcome) -> list[str]:
    said = []
    rows = outcome.weeded.rows
    if outcome.found.unlisted:
        many = _count(len(outcome.found.unlisted), "picture")
        said.append(f"{many} of the folder not in the table, like {outcome.found.unlisted[0]}")
    if outcome.found.doubled:
        said.append(f"{_count(outcome.found.doubled, 'row')} of the table stood there twice")
    doubled = len(rows) - len({row.name for row in rows})
    if doubled:
        said.append(
            f"{_count(doubled, 'picture')} with the name of another one (`{params.id or 'id'}`)"
        )
    return said


def _of_targets(outcome: Outcome) -> list[str]:
    said = []
    for number, target in enumerate(outcome.targets):
        cells = {one.cells[number] for one in outcome.found.wanted}
        if target.kind == "multilabel":
            cells = {name for cell in cells for name in cell.split(SEPARATOR)}
        if target.kind in ("class", "multilabel"):
            for names in look_alikes(sorted(cells - {""})):
                said.append(
                    f"the classes {' and '.join(map(repr, names))} of {target.name} differ in case "
                    "or spaces only"
                )
            said += _new_classes(target, outcome)
        unknown = sum(row.cells[number] == "" for row in outcome.weeded.rows)
        if unknown and target.kind != "multilabel":
            said.append(f"{_count(unknown, 'picture')} without a known {target.name}")
    doubtful = outcome.looked.doubtful_masks
    if doubtful:
        said.append(
            f"{_count(len(doubtful), 'mask')} of pictures that are turned upright, like "
            f"{doubtful[0]}: taken as drawn over the upright picture, since nothing says otherwise"
        )
    return said


def _new_classes(target: Target, outcome: Outcome) -> list[str]:
    for scan, known in outcome.known.items():
        for one in known:
            if (one.name, one.kind) == (target.name, target.kind):
                new = [name for name in target.classes if name not in one.classes]
                if new:
                    return [f"{_count(len(new), 'class', 'classes')} not in {scan}, like {new[0]}"]
    return []


def _of_duplicates(outcome: Outcome) -> list[str]:
    said = []
    for kind, words in (("exact", "with the same bytes as"), ("near", "nearly the same as")):
        pairs = [pair for pair in outcome.doubles.pairs if pair.kind == kind]
        for scan in ("", *outcome.known):
            here = [pair for pair in pairs if pair.scan == scan]
            if here:
                many = _count(len({(pair.one.path, pair.one.page) for pair in here}), "picture")
                said.append(f"{many} {words} one {_place(scan)}, like {_both(here[0])}")
            against = [pair for pair in here if pair.contradicts]
            if against:
                said.append(
                    f"{_count(len(against), 'pair')} of them with different labels, like "
                    f"{_both(against[0])} ({against[0].one.label}, {against[0].first.label})"
                )
    if outcome.doubles.cut:
        said.append(f"only the first {MOST_PAIRS:,} near pairs are listed")
    if outcome.weeded.dropped:
        said.append(f"{_count(outcome.weeded.dropped, 'copy', 'copies')} dropped")
    return said


def _of_submission(outcome: Outcome) -> list[str]:
    if outcome.submission is None:
        return []
    usable = {row.name for row in outcome.weeded.rows}
    return doubts(outcome.submission, outcome.found, usable, outcome.known)


def _place(scan: str) -> str:
    return f"of {scan}" if scan else "before"


def _both(pair: Pair) -> str:
    return f"{pair.one.path} and {named(pair)}"


def _listed(files: Sequence[tuple[str, str]], noun: str, done: str) -> str:
    path, reason = files[0]
    return f"{_count(len(files), noun)} {done}: {path} {reason}" + (", …" if len(files) > 1 else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
