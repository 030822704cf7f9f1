"""Pictures that occur twice: the same bytes, or nearly the same picture; within a scan and across.

A pair names the later picture and the first one it repeats, so a picture that occurs n times makes
n - 1 pairs, not n².
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

MOST_PAIRS = 100_000
"""Near pairs that are listed at most: the frames of a film are all near each other."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as far as doubles are concerned."""

    path: str
    page: int
    sha256: str
    """Of the file."""
    phash: str
    """16 hexadecimal digits; empty where there is nothing to compare."""
    cells: Mapping[str, str]
    """The text of each target, by name."""

    @property
    def content(self) -> tuple[str, int]:
        """Equal exactly when the bytes and the page are."""
        return self.sha256, self.page

    @property
    def label(self) -> str:
        return "; ".join(self.cells.values())


@dataclass(frozen=True)
class Pair:
    """`one` repeats `first`."""

    kind: Literal["exact", "near"]
    distance: int
    """Bits in which the perceptual hashes differ; 0 for the same bytes."""
    one: Seen
    first: Seen
    scan: str = ""
    """The plan's entry that has `first`; empty: this scan."""

    @property
    def contradicts(self) -> bool:
        """A target that is known of both is not the same."""
        one, first = self.one.cells, self.first.cells
        return any(one[name] and first.get(name) and one[name] != first[name] for name in one)


@dataclass(frozen=True)
class Doubles:
    pairs: Sequence[Pair]
    """Exact ones first; by scan, then in the order of the pictures."""
    cut: bool
    """More near pairs were there than are listed."""


def find_doubles(
    mine: Sequence[Seen],
    others: Mapping[str, Sequence[Seen]],
    near_bits: int | None,
    check: Callable[[], None],
) -> Doubles:
    """Doubles among `mine`, and of `mine` in each of `others`; `near_bits` None: exact ones only.

    `check` is called often; what it raises ends the search.
    """
    check()
    pairs = list(_exact(mine))
    for scan, theirs in others.items():
        check()
        pairs += _exact_over(mine, theirs, scan)
    near: list[Pair] = []
    if near_bits is not None:
        unique = _once(mine)
        searches = [_near(unique, (), "", near_bits, check)]
        for scan, theirs in others.items():
            searches.append(_near(unique, _once(theirs), scan, near_bits, check))
        # One more than is listed tells that there are more.
        near = list(islice(chain.from_iterable(searches), MOST_PAIRS + 1))
        pairs += near[:MOST_PAIRS]
    position = {one.content: number for number, one in enumerate(mine)}
    pairs.sort(
        key=lambda pair: (
            pair.kind,
            pair.scan,
            position[pair.one.content],
            pair.distance,
            pair.first.path,
            pair.first.page,
            pair.one.path,
        )
    )
    return Doubles(pairs, len(near) > MOST_PAIRS)


def _exact(mine: Sequence[Seen]) -> Iterator[Pair]:
    first: dict[tuple[str, int], Seen] = {}
    for one in mine:
        known = first.setdefault(one.content, one)
        if known is not one:
            yield Pair("exact", 0, one, known)


def _exact_over(mine: Sequence[Seen], theirs: Sequence[Seen], scan: str) -> Iterator[Pair]:
    known = {one.content: one for one in reversed(theirs)}
    for one in mine:
        if one.content in known:
            yield Pair("exact", 0, one, known[one.content], scan)


def _near(
    mine: Sequence[Seen],
    theirs: Sequence[Seen],
    scan: str,
    bits: int,
    check: Callable[[], None],
) -> Iterator[Pair]:
    """Near pairs within `mine`, or, where `scan` is named, between `mine` and `theirs`.

    Pictures with the same hash count as one: each is paired with the first of them.
    """
    import numpy as np

    from jobs.scan.hamming import near_pairs

    own = _by_hash(mine)
    other = _by_hash(theirs) if scan else own
    if not scan:
        for alike in own.values():
            for one in alike[1:]:
                yield Pair("near", 0, one, alike[0])
    digits = [*own, *(other if scan else ())]
    hashes = np.array([int(text, 16) for text in digits], dtype=np.uint64)
    border = len(own) if scan else None
    for i, j, distance in near_pairs(hashes, bits, check=check, first_of_others=border):
        for one, two, bits_apart in zip(i.tolist(), j.tolist(), distance.tolist(), strict=True):
            if not scan:
                # `own` is in the order of the pictures, so the first of `two` is the later one.
                yield Pair("near", bits_apart, own[digits[two]][0], own[digits[one]][0])
                continue
            first = other[digits[two]][0]
            for copy in own[digits[one]]:
                if copy.content != first.content:  # told as exact already
                    yield Pair("near", bits_apart, copy, first, scan)


def _by_hash(pictures: Sequence[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for one in pictures:
        if one.phash:
            found.setdefault(one.phash, []).append(one)
    return found


def _once(pictures: Sequence[Seen]) -> list[Seen]:
    """The first picture of each content."""
    found: dict[tuple[str, int], Seen] = {}
    for one in pictures:
        found.setdefault(one.content, one)
    return list(found.values())
