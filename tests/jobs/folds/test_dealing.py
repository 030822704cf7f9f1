from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.folds.dealing import deal, deal_strata, deal_units

SHARES = st.one_of(
    st.integers(1, 7).map(lambda k: [1 / k] * k),
    st.floats(0.01, 0.99).map(lambda share: [share, 1 - share]),
    st.lists(st.integers(1, 9), min_size=2, max_size=5).map(
        lambda parts: [part / sum(parts) for part in parts]
    ),
)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), SHARES, st.integers(0, 9))
def test_each_part_gets_its_share_of_each_stratum_to_within_one(
    sizes: list[int], shares: list[float], seed: int
) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    part = deal_strata(strata, shares, np.random.default_rng(seed))
    for stratum, size in enumerate(sizes):
        counts = np.bincount(part[strata == stratum], minlength=len(shares))
        assert counts.sum() == size and len(counts) == len(shares)
        assert np.abs(counts - np.array(shares) * size).max() < 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 7), st.integers(0, 9))
def test_equal_parts_are_of_equal_size_to_within_one(sizes: list[int], k: int, seed: int) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    part = deal_strata(strata, [1 / k] * k, np.random.default_rng(seed))
    assert np.ptp(np.bincount(part, minlength=k)) <= 1


def label_error(labels: np.ndarray, part: np.ndarray, k: int) -> float:
    """How far the parts' shares of the labels are from even, in samples, on average."""
    counts = np.array([labels[part == number].sum(axis=0) for number in range(k)])
    return float(np.abs(counts - labels.sum(axis=0) / k).mean())


@pytest.mark.parametrize("seed", range(5))
def test_several_labels_are_spread_to_a_sample_where_chance_is_many_off(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random((500, 12)) < np.geomspace(0.4, 0.01, 12)).astype(np.int64)
    part = deal(labels, None, [0.2] * 5, rng)
    assert label_error(labels, part, 5) < 0.6
    assert label_error(labels, rng.integers(0, 5, 500), 5) > 1.5
    assert np.ptp(np.bincount(part, minlength=5)) <= 2
    enough = labels.sum(axis=0) >= 5
    assert all(labels[part == number][:, enough].any(axis=0).all() for number in range(5))


def published(labels: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Iterative stratification as Sechidis et al. (2011) have it: label by label, rarest first."""
    part = np.full(len(labels), -1)
    lacking, room = np.outer([1 / k] * k, labels.sum(axis=0)), np.full(k, len(labels) / k)

    def neediest(wish: np.ndarray) -> int:
        best = np.flatnonzero(wish == wish.max())
        best = best[room[best] == room[best].max()]
        return int(rng.choice(best))

    while (part < 0).any():
        left = labels[part < 0].sum(axis=0)
        label = int(np.where(left > 0, left, np.inf).argmin()) if left.any() else None
        rows = part < 0 if label is None else (part < 0) & (labels[:, label] > 0)
        for row in np.flatnonzero(rows).tolist():
            part[row] = neediest(room if label is None else lacking[:, label])
            lacking[part[row]] -= labels[row]
            room[part[row]] -= 1
    return part


def test_labels_are_spread_no_worse_than_by_the_published_method() -> None:
    ours, theirs = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        count, kinds = int(rng.integers(20, 300)), int(rng.integers(2, 12))
        labels = (rng.random((count, kinds)) < rng.uniform(0.02, 0.5, kinds)).astype(np.int64)
        part = deal(labels, None, [0.25] * 4, rng)
        counts = np.array([labels[part == number].sum(axis=0) for number in range(4)])
        assert np.abs(counts - labels.sum(axis=0) / 4).max() <= 1
        ours.append(label_error(labels, part, 4))
        theirs.append(label_error(labels, published(labels, 4, rng), 4))
    assert np.mean(ours) < np.mean(theirs)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_a_hold_out_of_several_labels_has_its_share_of_each(share: float) -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random((400, 8)) < np.geomspace(0.5, 0.03, 8)).astype(np.int64)
    part = deal(labels, None, [share, 1 - share], rng)
    assert np.abs(labels[part == 0].sum(axis=0) - share * labels.sum(axis=0)).max() < 1.5
    assert abs((part == 0).sum() - share * 400) < 2


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_a_hold_out_of_groups_has_its_share(share: float) -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(200), rng.geometric(0.2, 200))
    classes = rng.integers(0, 3, len(groups))
    part = deal(classes, groups, [share, 1 - share], rng)
    for name in range(3):
        assert (part[classes == name] == 0).mean() == pytest.approx(share, abs=0.02)


@given(st.lists(st.integers(1, 30), min_size=6, max_size=30), st.integers(2, 5), st.integers(0, 9))
def test_groups_stay_whole_and_the_largest_part_is_no_worse_than_it_must_be(
    sizes: list[int], k: int, seed: int
) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    part = deal(np.zeros_like(groups), groups, [1 / k] * k, np.random.default_rng(seed))
    assert all(len(set(part[groups == group])) == 1 for group in range(len(sizes)))
    # Graham's bound: the last group that made a part the largest went where there was most room.
    assert np.bincount(part).max() <= len(groups) / k + max(sizes)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=40),
    st.integers(2, 5),
    st.integers(0, 9),
)
def test_single_samples_even_out_what_stays_together(
    units: list[tuple[int, int]], k: int, seed: int
) -> None:
    strata = np.repeat([stratum for stratum, _size in units], [size for _stratum, size in units])
    groups = np.repeat(np.arange(len(units)), [size for _stratum, size in units])
    part = deal(strata, groups, [1 / k] * k, np.random.default_rng(seed))
    assert all(len(set(part[groups == unit])) == 1 for unit in range(len(units)))
    for stratum in set(strata.tolist()):
        alone = sum(size == 1 for name, size in units if name == stratum)
        if alone >= 3 * k * sum(size > 1 for _name, size in units):
            counts = np.bincount(part[strata == stratum], minlength=k)
            assert np.ptp(counts) <= 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), SHARES, st.data())
def test_what_was_dealt_before_counts(sizes: list[int], shares: list[float], data: Any) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    before = st.lists(st.integers(0, 12), min_size=len(sizes), max_size=len(sizes))
    dealt = np.array([data.draw(before) for _ in shares], dtype=np.int64)
    part = deal_strata(strata, shares, np.random.default_rng(0), dealt)
    for stratum, size in enumerate(sizes):
        new = np.bincount(part[strata == stratum], minlength=len(shares))
        held = dealt[:, stratum]
        assert new.sum() == size
        # No part that got some of it has more for its share than one that got less would have.
        level = (new + held) / shares
        for most in np.flatnonzero(new):
            assert (new[most] + held[most] - 1) / shares[most] <= level.min() + 1 / min(shares)


def test_groups_of_mixed_classes_are_spread_like_scikit_learn_does() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    ours, theirs = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(40), rng.geometric(0.15, 40))
        liking = rng.dirichlet(np.ones(4), 40)
        classes = np.array([rng.choice(4, p=liking[group]) for group in groups])
        labels = np.eye(4, dtype=np.int64)[classes]
        ours.append(label_error(labels, deal(classes, groups, [0.2] * 5, rng), 5))
        peer = np.zeros(len(groups), dtype=np.int64)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for number, (_rest, held_out) in enumerate(folds.split(classes, classes, groups)):
            peer[held_out] = number
        theirs.append(label_error(labels, peer, 5))
    assert np.mean(ours) <= np.mean(theirs)


def test_the_generator_alone_decides() -> None:
    weights = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 1]] * 10)
    drawn = [deal_units(weights, [0.5, 0.5], np.random.default_rng(s)).tolist() for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
