"""The end of a log file, followed as it grows. At most so much of it is ever in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MOST_BYTES = 64 * 1024
"""Read at one look; of what is more, the beginning is skipped."""
MOST_CHARACTERS = 2_000
"""Of one line."""


@dataclass
class LogTail:
    """What stands at the end of `path`, and from look to look what was added."""

    path: Path
    position: int = 0
    """Bytes that were read, or skipped."""
    _rest: bytes = field(default=b"", init=False)
    """The beginning of a line of which the end is not written yet."""

    def look(self) -> tuple[str, ...]:
        """The whole lines that were written since the last look; none where there is no file.

        A file that has become shorter is read from its beginning. Raises OSError.
        """
        if not self.path.exists():
            return ()
        with open(self.path, "rb") as file:
            size = file.seek(0, 2)
            if size < self.position:
                self.position, self._rest = 0, b""
            skipped = max(0, size - self.position - MOST_BYTES)
            file.seek(self.position + skipped)
            new = file.read(MOST_BYTES)
        self.position += skipped + len(new)
        lines: list[str] = []
        if skipped:
            self._rest = b""
            new = new.partition(b"\n")[2]  # the first line is cut
            lines.append(f"… {skipped:,} bytes are not shown")
        *whole, self._rest = (self._rest + new).split(b"\n")
        self._rest = self._rest[-MOST_BYTES:]
        return (*lines, *(_shown(line) for line in whole))


def _shown(line: bytes) -> str:
    """What a terminal would show of a line: a progress bar writes itself again and again."""
    text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
