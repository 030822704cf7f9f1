"""What a split spreads evenly: the classes, labels or values of one target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skint.dataset import PackedSet, Target
from skint.errors import SkintError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 10
"""A value is cut into so many ranges that hold equally many samples, fewer where there are few."""


class StrataError(SkintError):
    """There is nothing to stratify by."""


def strata_target(data: PackedSet, stratify: bool | str | None, where: str) -> Target | None:
    """The target to spread evenly: the one of that name, else the first that is no mask.

    None where `stratify` is false, or None and the set has no such target. Raises StrataError.
    """
    fit = [target for target in data.meta.targets if target.kind != "mask"]
    if stratify is False or (stratify is None and not fit):
        return None
    if isinstance(stratify, str):
        fit = [target for target in fit if target.name == stratify]
    if not fit:
        raise StrataError(
            "there is nothing to stratify by",
            where=f"{where}: stratify",
            got=", ".join(f"{t.name} ({t.kind})" for t in data.meta.targets) or "no targets",
            wanted="a target of classes, labels or values"
            + (f" called {stratify}" if isinstance(stratify, str) else ""),
            next="set `stratify: false`",
        )
    return fit[0]


def strata_of(
    data: PackedSet, target: Target | None, rows: NDArray[np.int64], parts: int
) -> NDArray[np.int64]:
    """(n,) the stratum of each of `rows` from 0, or (n, L) 0/1 for the labels of a multilabel.

    What is not known is a stratum of its own. `parts` is how many parts each is to fill.
    """
    import numpy as np

    if target is None:
        return np.zeros(len(rows), dtype=np.int64)
    if target.kind == "class":
        return data.labels(target.name)[rows] + 1
    if target.kind == "multilabel":
        return data.multi_hot(target.name)[rows].astype(np.int64)
    return quantiles(data.values(target.name)[rows], parts)


def quantiles(values: NDArray[np.float64], parts: int) -> NDArray[np.int64]:
    """(n,) which range each value lies in, from 1; 0 for NaN.

    Ranges hold equally many values to within one, at least `parts` of them; equal values may
    stand in two neighbouring ranges.
    """
    import numpy as np

    known = np.flatnonzero(~np.isnan(values))
    bins = max(1, min(BINS, len(known) // max(1, parts)))
    ranges = np.zeros(len(values), dtype=np.int64)
    order = known[np.argsort(values[known], kind="stable")]
    ranges[order] = np.arange(len(order)) * bins // max(1, len(order)) + 1
    return ranges
