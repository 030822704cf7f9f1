"""What can be wrong with the store, as what a person can do about it."""

from __future__ import annotations

from pathlib import Path

from skint.errors import SkintError


class StoreError(SkintError):
    """The store cannot be read or written."""


class StoreFull(StoreError):
    """The disk has no room for what is to be kept. What was kept before stands."""


def unreadable(path: Path, what: str, error: Exception) -> StoreError:
    """Something stands in the file whose meaning this version does not know."""
    return StoreError(
        f"{what} cannot be read: most likely a newer skint wrote it",
        where=str(path),
        got=str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}",
        wanted="the skint that wrote it, or a newer one",
        next="pip install --upgrade skint",
    )
