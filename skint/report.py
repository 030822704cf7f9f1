"""`skint.report(...)`: say a number from any program that skint runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from skint.attempt import AttemptDir
from skint.events import EventWriter

ATTEMPT_DIR = "SKINT_ATTEMPT_DIR"
"""Environment variable with the attempt's directory; every child of the worker inherits it.

It is also how strays of an attempt are recognised when its shim is dead."""
ATTEMPT = "SKINT_ATTEMPT"
"""Environment variable with the attempt's name."""


def report(**values: Any) -> None:
    """Report numbers, e.g. `skint.report(epoch=3, epochs=12, val_loss=0.41)`.

    Does nothing outside skint, so the same program runs by hand. `epoch` counts finished epochs
    from 1. Raises ReportError when a value is no number, text, true, false or None.
    """
    directory = current_attempt()
    if directory is not None:
        EventWriter.of(directory, directory.read_task()).report(values)


def current_attempt() -> AttemptDir | None:
    """The attempt this process belongs to, or None outside skint."""
    path = os.environ.get(ATTEMPT_DIR)
    return AttemptDir(Path(path)) if path else None
