"""The files of a packed set while they are being written, and what becomes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from skint.dataset.canvas import Canvas


class Unfinished(ABC):
    """A context manager that leaves nothing behind unless the set was finished.

    With `resume` it removes the files only after an error, not after a stop.
    """

    resume: bool

    @property
    @abstractmethod
    def _canvases(self) -> list[Canvas]:
        """Those of its arrays."""

    @property
    def partial(self) -> tuple[Path, ...]:
        """The files while they are being written."""
        return tuple(path for canvas in self._canvases for path in canvas.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for canvas in self._canvases:
            canvas.close()
        # A request to stop is no Exception (see skint.StopRequested), nor is Ctrl-C.
        stopped = error is not None and not isinstance(error, Exception)
        if not (self.resume and stopped):
            self._remove()

    def _remove(self) -> None:
        for path in self.partial:
            path.unlink(missing_ok=True)
