"""What was not spent, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("cache", "early-stop", "refused", "parked")


@dataclass(frozen=True, slots=True)
class Saving:
    """`amount_ms` that `owner` did not spend, with its `derivation` in a sentence with numbers.

    `kind` is `cache` (the result was there), `early-stop` (a rule ended it), `refused` (it would
    have failed) or `parked` (work that would have been lost). Never part of a balance.

    One that `takes_back` another is less than nothing, by as much, and counts where that did: what
    had not been spent is spent after all.
    """

    id: str
    account: str
    owner: str
    kind: str
    amount_ms: int
    derivation: str
    at_ms: int
    takes_back: str | None = None
