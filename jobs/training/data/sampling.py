"""Which pictures an epoch has: all of them, or every class equally often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jobs.training.data.fold import FoldData, FoldError, Rows
from jobs.training.recipe.recipe import Recipe
from skint.loader import Order


@dataclass(frozen=True)
class Balanced:
    """Each class equally often, up to one.

    Of a class with too many pictures an epoch has some, of one with too few each several times;
    none comes again before all of its class were there.
    """

    rows: Rows
    labels: Rows
    """(n,) class of each of `rows`."""
    count: int
    """Pictures of an epoch."""

    def __call__(self, rng: np.random.Generator) -> Rows:
        """The rows of an epoch, in their order."""
        classes = rng.permutation(np.unique(self.labels))
        whole, rest = divmod(self.count, len(classes))
        drawn = []
        for number, label in enumerate(classes):
            members = self.rows[self.labels == label]
            count = whole + (number < rest)
            turns = max(1, -(-count // len(members)))
            drawn.append(np.concatenate([rng.permutation(members) for _ in range(turns)])[:count])
        return rng.permutation(np.concatenate(drawn))


def order_of(recipe: Recipe, data: FoldData, rows: Rows) -> Order | None:
    """What the recipe's `sampler` says; None for all pictures once.

    Balanced are the classes of the first target that has classes; a picture whose class is unknown
    has no part. Raises FoldError where no target has classes.
    """
    if recipe.sampler == "all":
        return None
    classes = [target.name for target in data.targets if target.kind == "class"]
    if not classes:
        raise FoldError(
            "sampler: balanced needs a target with classes",
            where="sampler",
            got=", ".join(f"{target.name} ({target.kind})" for target in data.targets),
            next="leave `sampler` out",
        )
    labels = data.columns[classes[0]]
    known = rows[labels[rows] >= 0]
    return Balanced(known, labels[known], len(rows))
