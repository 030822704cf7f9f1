"""What is to be predicted from a picture."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("class", "multilabel", "value", "mask")
SEPARATOR = "|"
"""Between the names in the cell of a multilabel target."""


@dataclass(frozen=True)
class Target:
    """A column of `samples.csv`. Its cells hold, by kind:

    `class`: the name of one class; `multilabel`: names joined by `|`, empty for none of them;
    `value`: a decimal number; `mask`: the path of the mask picture under the source's root.
    An empty cell of a class, value or mask is unknown.
    """

    name: str
    kind: str
    """One of `KINDS`."""
    classes: tuple[str, ...] = ()
    """Names in the order of their numbers; empty for values, may be empty for masks."""
