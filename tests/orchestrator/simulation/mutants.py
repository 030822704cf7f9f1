"""Deliberate bugs, one at a time: what the checker of the weeks must find.

Each takes the place of a function of the ledger, of a window or of the scheduler, as somebody might
have written it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


class Mutants(dict[str, Mutant]):
    """By name."""

    def note(self, apply: Mutant) -> Mutant:
        """Note a bug under its name."""
        self[apply.__name__] = apply
        return apply
