"""What no split may part: groups, copies of one file, and pictures that are nearly the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.scan.scanned import SCAN
from skint.dataset import Sample
from skint.table import integer, read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Together:
    """Which samples stay together."""

    units: NDArray[np.int64] | None
    """(n,) numbers from 0, equal where they do; None where each stands alone."""
    exact: int = 0
    """Samples that repeat the bytes of another."""
    near: int = 0
    """Samples, or what stays together anyway, that joined another they look like."""
    alike: int = 0
    """Samples that look alike, but are too many to be kept together."""


class Union:
    """Sets that grow together (union-find); each is called by the smallest number in it."""

    def __init__(self, parents: Iterable[int]) -> None:
        self.parents = list(parents)

    def find(self, one: int) -> int:
        parents = self.parents
        while parents[one] != one:
            parents[one] = one = parents[parents[one]]
        return one

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self.parents[high] = low

    def join_equal(self, keys: Iterable[Hashable | None]) -> int:
        """Join the numbers whose keys are equal, None is like nothing; how many had a first."""
        first: dict[Hashable, int] = {}
        repeated = 0
        for number, key in enumerate(keys):
            if key is None:
                continue
            before = first.setdefault(key, number)
            if before != number:
                self.join(before, number)
                repeated += 1
        return repeated

    def roots(self) -> list[int]:
        return [self.find(number) for number in range(len(self.parents))]


def keep_together(
    samples: Sequence[Sample],
    *,
    grouped: bool,
    copies: bool,
    near: Iterable[tuple[int, int]],
    strata: Sequence[int],
    share: float,
) -> Together:
    """`grouped`: the samples of a group; `copies`: those of the same bytes, and the pairs `near`.

    To look alike is no proof, and passes from one to the next: a likeness that would keep more than
    a `share` of one of the `strata` (n,) together, e.g. all frames of a film, is left alone.
    """
    import numpy as np

    union = Union(range(len(samples)))
    if grouped:
        union.join_equal(sample.group for sample in samples)
    exact = joined = alike = 0
    if copies:
        exact = union.join_equal((s.sha256, s.page) if s.sha256 else None for s in samples)
        before = union.roots()
        for one, other in near:
            union.join(one, other)
        after = union.roots()
        members: dict[int, list[int]] = {}
        for number, root in enumerate(after):
            members.setdefault(root, []).append(number)
        room = np.ceil(np.bincount(strata) * share) if len(samples) else np.empty(0)
        for rows in members.values():
            units = len({before[row] for row in rows})
            if units == 1:
                continue
            held = np.bincount([strata[row] for row in rows], minlength=len(room))
            if (held <= room).all():
                joined += units - 1
                continue
            alike += len(rows)
            for row in rows:
                union.parents[row] = before[row]
    names, numbers = np.unique(np.array(union.roots(), dtype=np.int64), return_inverse=True)
    units_or_none = numbers.astype(np.int64) if grouped or len(names) < len(samples) else None
    return Together(units_or_none, exact, joined, alike)


def near_pairs(duplicates: Path, samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """The near pairs of a scan's `duplicates.csv`, as places in `samples`.

    Only of pictures that the scan beside it has with the same bytes: it may be of another set.
    """
    place = {(sample.path, sample.page): number for number, sample in enumerate(samples)}
    columns = ("kind", "path", "page", "scan", "first", "first_page")
    pairs = []
    for number, row in enumerate(read_rows(duplicates, columns)):
        where = f"{duplicates}:{number + 2}"
        one = row["path"], integer(row, "page", where)
        first = row["first"], integer(row, "first_page", where)
        if row["kind"] == "near" and not row["scan"] and one in place and first in place:
            pairs.append((place[one], place[first]))
    if not pairs:
        return []
    table = duplicates.with_name(SCAN)
    scanned = {
        (row["path"], integer(row, "page", str(table))): row["sha256"]
        for row in read_rows(table, ("path", "page", "sha256"))
    }
    same = [scanned.get((sample.path, sample.page)) == sample.sha256 for sample in samples]
    return [(one, first) for one, first in pairs if same[one] and same[first]]
