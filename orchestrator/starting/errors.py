"""What cannot be started from."""

from __future__ import annotations

from skint.errors import NOT_FOUND, SkintError


class NothingToStart(SkintError):
    """No plan can be made of what is in the folder."""


class NoFolder(NothingToStart):
    """There is no such folder."""

    exit_code = NOT_FOUND
