"""A mapping in the order of its keys' arrival of which a changed copy is cheap, however long it is.

A `dict` of ten thousand jobs takes as long to copy as everything else that is done about the end
of one of them; here a copy shares all but one chunk. Few entries stay in a `dict`, which is faster
to read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from itertools import chain, islice
from typing import Any, TypeVar, overload

V = TypeVar("V")

MANY = 256
"""With more entries than this it pays to share."""
BITS = 6
CHUNK = 1 << BITS
_IN_CHUNK = CHUNK - 1


class Records(Mapping[str, V]):
    """It never changes; `with_entry` is the changed copy. Nothing can be taken out."""

    __slots__ = ("_count", "_places", "chunks")

    def __init__(self, places: dict[str, int], chunks: tuple[tuple[V, ...], ...], count: int):
        self._places = places
        """Shared with later versions, which add to it: only what is below `count` is here."""
        self.chunks = chunks
        self._count = count

    @classmethod
    def of(cls, entries: Mapping[str, V]) -> Records[V]:
        values = tuple(entries.values())
        chunks = tuple([values[at : at + CHUNK] for at in range(0, len(values), CHUNK)])
        return cls({key: place for place, key in enumerate(entries)}, chunks, len(values))

    def place(self, key: str) -> int:
        """Its number, from 0, in the order of arrival. KeyError where it is not here."""
        place = self._places[key]
        if place >= self._count:
            raise KeyError(key)
        return place

    def __getitem__(self, key: str) -> V:
        place = self._places[key]
        if place >= self._count:
            raise KeyError(key)
        return self.chunks[place >> BITS][place & _IN_CHUNK]

    def __contains__(self, key: object) -> bool:
        return self._places.get(key, self._count) < self._count  # type: ignore[call-overload, no-any-return]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        # Of a copy: a later version may be made, in another thread even, while somebody reads.
        return islice([*self._places], self._count)

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def with_entry(self, key: str, value: V) -> Records[V]:
        """The same with `value` under `key`; in its old place, where it had one."""
        place = self._places.get(key, self._count)
        if place < self._count:
            at = place >> BITS
            chunk = list(self.chunks[at])
            chunk[place & _IN_CHUNK] = value
            chunks = (*self.chunks[:at], tuple(chunk), *self.chunks[at + 1 :])
            return Records(self._places, chunks, self._count)
        places = self._places
        if len(places) > self._count:  # a later version has gone another way
            places = dict(islice(places.items(), self._count))
        places[key] = self._count
        if self._count & _IN_CHUNK:
            chunks = (*self.chunks[:-1], (*self.chunks[-1], value))
        else:
            chunks = (*self.chunks, (value,))
        return Records(places, chunks, self._count + 1)


class _Values(ValuesView[V]):
    _mapping: Records[V]

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(self._mapping.chunks)


def with_entry(entries: Mapping[str, V], key: str, value: V) -> Mapping[str, V]:
    """`entries` with `value` under `key`, in its old place where it had one."""
    if type(entries) is Records:
        return entries.with_entry(key, value)
    new = {**entries, key: value}
    return Records.of(new) if len(new) > MANY else new


def with_entries(entries: Mapping[str, V], new: Mapping[str, V]) -> Mapping[str, V]:
    """As `with_entry`, of many at once."""
    together = {**entries, **new}
    return Records.of(together) if len(together) > MANY else together


def shared(entries: dict[str, V]) -> Mapping[str, V]:
    """The same; as `Records` where there are many."""
    return Records.of(entries) if len(entries) > MANY else entries


def differing(before: Mapping[str, V], after: Mapping[str, V]) -> Iterator[tuple[int, V]]:
    """Place and value of each entry of `after` that is another object than the one in its place in
    `before`, a version of the same mapping that was before it."""
    if before is after:
        return
    if not (type(before) is Records and type(after) is Records):
        old = [*before.values()]
        for place, value in enumerate(after.values()):
            if place >= len(old) or old[place] is not value:
                yield place, value
        return
    for at, chunk in enumerate(after.chunks):
        known = before.chunks[at] if at < len(before.chunks) else ()
        if chunk is not known:
            for number, value in enumerate(chunk):
                if number >= len(known) or known[number] is not value:
                    yield (at << BITS) + number, value


def newest_first(entries: Mapping[str, V]) -> Iterator[V]:
    """The values of `entries`, from the last to the first."""
    if type(entries) is Records:
        return chain.from_iterable(map(reversed, reversed(entries.chunks)))
    return reversed([*entries.values()])


class Part(Sequence[V]):
    """Some values of `Records`, in their order, by the chunks that they are in."""

    __slots__ = ("_count", "chunks")

    def __init__(self, chunks: tuple[tuple[V, ...], ...], count: int) -> None:
        self.chunks = chunks
        self._count = count

    @classmethod
    def of(cls, chunks: Iterable[Iterable[V]]) -> Part[V]:
        found = tuple([tuple(chunk) for chunk in chunks])
        return cls(found, sum(map(len, found)))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(self.chunks)

    @overload
    def __getitem__(self, index: int) -> V: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[V]: ...
    def __getitem__(self, index: int | slice) -> V | Sequence[V]:
        return tuple(self)[index]

    def changed(
        self, records: Records[Any], key: str, old: V | None, new: V, holds: bool
    ) -> Part[V]:
        """What it becomes where `new` has taken the place of `old` under `key` in what are
        `records` by now, and belongs to it if it `holds`."""
        place = records.place(key)
        at = place >> BITS
        chunk = self.chunks[at] if at < len(self.chunks) else ()
        was = next((number for number, one in enumerate(chunk) if one is old), None)
        if was is None:
            if not holds:
                return self
            here: Any = records.chunks[at]
            ids: Sequence[Any] = chunk
            number = bisect_left(ids, place, key=lambda one: records.place(one.id))
            assert here[place & _IN_CHUNK] is new
            chunk = (*chunk[:number], new, *chunk[number:])
        elif holds:
            chunk = (*chunk[:was], new, *chunk[was + 1 :])
        else:
            chunk = (*chunk[:was], *chunk[was + 1 :])
        missing: tuple[tuple[V, ...], ...] = ((),) * (at - len(self.chunks))
        chunks = (*self.chunks[:at], *missing, chunk, *self.chunks[at + 1 :])
        return Part(chunks, self._count + holds - (was is not None))
