"""Writes down what was trained: one page for all folds, and their learning curves.

Reads  result.json, metrics.csv, and where they are there model.json and training.json, of every
       fold of a `train` or `fit`; dataset.json of the packed set.
Writes card.md: results, data, recipe, versions, remarks; curves.png; local/hours.md: how long each
       fold took, and on what.

    card: {uses: card, needs: [train]}

It needs no accelerator, so no fold waits for a drawing. This file imports neither numpy nor
matplotlib.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

import skint
from skint.attempt import write_atomic
from skint.context import InputNotFound


class Params(BaseModel):
    """What `card` is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: str = ""
    """Over the page; by default the model and the number of folds."""


@skint.job(devices=0, libraries=("numpy", "matplotlib"))
def card(params: Params, ctx: skint.Context) -> None:
    from jobs.card.curves import draw
    from jobs.card.page import hours, page
    from jobs.card.trained import read_trained

    trained = read_trained(ctx)
    ctx.check()
    write_atomic(ctx.out / "curves.png", draw(trained))
    text = page(params.title, trained, _data(ctx))
    # backslashreplace: a file name need not be UTF-8, the page must be.
    write_atomic(ctx.out / "card.md", text.encode("utf-8", "backslashreplace"))
    local = ctx.out / "local"
    local.mkdir(exist_ok=True)
    write_atomic(local / "hours.md", hours(trained).encode())
    ctx.note(f"card.md and curves.png of {len(trained)} fold{'s' * (len(trained) > 1)}")


def _data(ctx: skint.Context) -> Any:
    from skint.dataset import PackedSet

    try:
        return PackedSet.open(ctx.find("dataset.json").parent)
    except InputNotFound:  # a training of one's own may read what it likes
        return None
