"""What becomes of pictures that occur twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.scan.duplicates import Pair
from jobs.scan.scanned import Row
from skint.errors import SkintError

OnDuplicate = Literal["keep", "drop", "fail"]


class DuplicatePictures(SkintError):
    """Some pictures occur twice, and the plan says `on_duplicate: fail`."""


@dataclass(frozen=True)
class Weeded:
    rows: Sequence[Row]
    dropped: int
    """Copies that were left out."""
    quarantined: Sequence[tuple[str, str]]
    """(path, reason) of pictures whose copies say something else."""


def weed(rows: Sequence[Row], pairs: Sequence[Pair], on_duplicate: OnDuplicate) -> Weeded:
    """`drop` leaves out what repeats the bytes of an earlier picture with equal targets.

    Where copies contradict each other nobody knows which one is right: all of them are quarantined.
    Near duplicates stay, since likeness is a guess. Raises DuplicatePictures with `fail`.
    """
    exact = [pair for pair in pairs if pair.kind == "exact"]
    if on_duplicate == "fail" and exact:
        one = exact[0]
        raise DuplicatePictures(
            f"{len(exact):,} picture{'' if len(exact) == 1 else 's'} with the bytes of another one",
            where=one.one.path,
            got=f"the same bytes as {named(one)}",
            next="remove them, or set `on_duplicate: drop`",
        )
    if on_duplicate != "drop":
        return Weeded(rows, 0, ())
    copies: set[tuple[str, int]] = set()
    accused: dict[tuple[str, int], str] = {}
    for pair in exact:
        here = (pair.one.path, pair.one.page)
        if pair.contradicts:
            said = "has the same bytes as {}, which is labelled {}"
            accused[here] = said.format(named(pair), pair.first.label)
            if not pair.scan:
                back = said.format(pair.one.path, pair.one.label)
                accused.setdefault((pair.first.path, pair.first.page), back)
        elif pair.one.cells == pair.first.cells:
            copies.add(here)
    # Copies of a contradicted picture are contradicted as well.
    condemned = {_content(row) for row in rows if (row.path, row.page) in accused}
    kept, quarantined, dropped = [], [], 0
    for row in rows:
        here = (row.path, row.page)
        if _content(row) in condemned:
            quarantined.append((row.path, accused.get(here, "has copies with another label")))
        elif here in copies:
            dropped += 1
        else:
            kept.append(row)
    return Weeded(kept, dropped, quarantined)


def named(pair: Pair) -> str:
    """The first of the two, with the scan it stands in."""
    return f"{pair.scan}: {pair.first.path}" if pair.scan else pair.first.path


def _content(row: Row) -> tuple[str, int]:
    return row.sha256, row.page
