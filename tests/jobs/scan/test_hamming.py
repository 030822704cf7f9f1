from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from jobs.scan.hamming import MOST_BITS, near_pairs


def quiet() -> None:
    """Nobody asks to stop."""


def found(
    hashes: NDArray[np.uint64], bits: int, first_of_others: int | None = None
) -> list[tuple[int, int, int]]:
    return [
        (one, other, apart)
        for i, j, distance in near_pairs(hashes, bits, check=quiet, first_of_others=first_of_others)
        for one, other, apart in zip(i.tolist(), j.tolist(), distance.tolist(), strict=True)
    ]


def by_brute_force(hashes: NDArray[np.uint64], bits: int) -> set[tuple[int, int, int]]:
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    i, j = np.nonzero(np.triu(distance <= bits, 1))
    return {(a, b, int(distance[a, b])) for a, b in zip(i.tolist(), j.tolist(), strict=True)}


def crowded(seed: int, count: int = 400) -> NDArray[np.uint64]:
    """Hashes a few bits away from forty centres, so that many pairs are near."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, 40, dtype=np.uint64)[rng.integers(0, 40, count)]
    for _flip in range(5):
        bit = np.uint64(1) << rng.integers(0, 64, count).astype(np.uint64)
        hashes = hashes ^ np.where(rng.random(count) < 0.5, bit, np.uint64(0))
    return hashes


@pytest.mark.parametrize("bits", range(MOST_BITS + 1))
def test_the_pairs_are_those_of_brute_force_each_once(bits: int) -> None:
    hashes = crowded(seed=bits)
    pairs = found(hashes, bits)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == by_brute_force(hashes, bits)
    assert pairs or bits == 0


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.integers(0, MOST_BITS))
def test_no_hash_is_special(numbers: list[int], bits: int) -> None:
    hashes = np.array(numbers, dtype=np.uint64)
    assert set(found(hashes, bits)) == by_brute_force(hashes, bits)


def test_equal_hashes_are_pairs_of_distance_nothing() -> None:
    hashes = np.full(4, 2**63 + 5, dtype=np.uint64)
    assert len(found(hashes, 0)) == 6


@pytest.mark.parametrize("border", [0, 1, 150, 400])
def test_only_pairs_over_the_border_are_found(border: int) -> None:
    hashes = crowded(seed=99)
    over = {pair for pair in by_brute_force(hashes, 4) if pair[0] < border <= pair[1]}
    assert set(found(hashes, 4, border)) == over


def test_the_search_stops_when_asked_to() -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        list(near_pairs(crowded(seed=1), 4, check=stop))


def test_bands_that_would_be_too_narrow_are_refused() -> None:
    with pytest.raises(ValueError, match="0 to 8"):
        list(near_pairs(crowded(seed=1), 9, check=quiet))


def test_of_a_hundred_thousand_hashes_hardly_any_are_compared() -> None:
    hashes = np.random.default_rng(3).integers(0, 2**64, 100_000, dtype=np.uint64)
    planted = hashes[:50] ^ np.uint64(0b1011)
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    everything = np.concatenate([hashes, planted])
    pairs = list(near_pairs(everything, 4, check=count))
    assert sum(i.size for i, _j, _distance in pairs) == 50
    # A step compares neighbours of one distance within their buckets of at most some dozens.
    assert steps < 5 * 100
