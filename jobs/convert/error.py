"""The error of `convert`."""

from __future__ import annotations

from skint.errors import SkintError


class ConvertError(SkintError):
    """The form that is asked for cannot be made from what there is."""
