"""The one error of reading and writing packed sets."""

from __future__ import annotations

from skint.errors import SkintError


class DatasetError(SkintError):
    """A packed set is missing, damaged, or not what its reader needs."""
