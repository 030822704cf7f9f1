"""A reading of the provider's own counter: an anchor that our charges after it are added to."""

from __future__ import annotations

from dataclasses import dataclass

from budget.duration import DAY_MS
from budget.windows.base import Usage

OLD_MS = 2 * DAY_MS
"""A reading that is older says too little of what others have used since."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The provider said at `at_ms` that `used_ms` of `allowed_ms` were used until `refresh_ms`.

    None is what it did not say. `reserved_ms` is what it counts as running; `others_reserved_ms`
    the part of that which no reservation of ours accounted for when the reading was noted.
    """

    id: str
    account: str
    limit: str
    used_ms: int
    at_ms: int
    allowed_ms: int | None
    reserved_ms: int | None
    refresh_ms: int | None
    source: str
    others_reserved_ms: int
    noted_ms: int

    def foreign_ms(self, since_ms: int, own: Usage) -> int:
        """What others used of the window that had begun at `since_ms`; never negative.

        `own` is what the ledger knows of. What others used since the reading is not known.
        """
        own_ms = own.between(since_ms, self.at_ms)
        return max(0, self.used_ms - own_ms) + self.others_reserved_ms
