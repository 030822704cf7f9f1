"""What a job needs to know of skint: `job`, `Context`, `report`, `resume_path` and, for
Lightning, `Callback`.

Importing this package costs nothing: pydantic, NumPy and torch are imported where they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skint.checkpoint import resume_path
from skint.context import Context, StopRequested
from skint.errors import SkintError
from skint.job import job
from skint.report import report

if TYPE_CHECKING:
    from skint.lightning import Callback

__version__ = "0.1.0"
__all__ = [
    "Callback",
    "Context",
    "SkintError",
    "StopRequested",
    "__version__",
    "job",
    "report",
    "resume_path",
]


def __getattr__(name: str) -> object:
    """Import Lightning only when `skint.Callback` is asked for."""
    if name == "Callback":
        from skint.lightning import Callback

        return Callback
    raise AttributeError(f"module 'skint' has no attribute {name!r}")
