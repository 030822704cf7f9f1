"""What a scan has looked at so far, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from jobs.scan.look import Look, Mask, Page, Task, Way

FILE = "looks.jsonl"
_VERSION = 2


class Journal:
    """One line a file, in `out/local/`; a line that was cut by a kill is looked at again.

        with Journal(ctx.out, way, ctx.previous) as journal:
            look = journal.known(task)
            if look is None:
                journal.add(task, look := ...)
        journal.remove()                    # when the scan is whole

    A file counts as known while its size and its time of change are those of then.
    """

    def __init__(self, out: Path, way: Way, previous: Path | None) -> None:
        self._root = way.root
        self._path = out / "local" / FILE
        self._head = {"version": _VERSION, **asdict(way)}
        self._known = {} if previous is None else _read(previous / "local" / FILE, self._head)
        self._stamps: dict[str, list[list[Any]]] = {}
        self._path.parent.mkdir(exist_ok=True)
        self._file = self._path.open("w", encoding="ascii")
        self._write(self._head)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def known(self, task: Task) -> Look | None:
        """What was seen of the file before; None where it is new or has changed.

        What is known is taken over at once, so that it outlives another interruption.
        To be asked before the file is looked at: a change during the look counts as one after it.
        """
        stamps = self._stamps[task.path] = [_stamp(self._root, p) for p in (task.path, *task.masks)]
        entry = self._known.get(task.path)
        if entry is None or entry["stamps"] != stamps:
            return None
        self._write(entry)
        pages = tuple(Page(*page) for page in entry["pages"])
        masks = tuple(Mask(*mask) for mask in entry["masks"])
        return Look(pages, entry["sha256"], entry["bytes"], entry["reason"], masks)

    def add(self, task: Task, look: Look) -> None:
        self._write(
            {
                "path": task.path,
                "stamps": self._stamps[task.path],
                "pages": [astuple(page) for page in look.pages],
                "masks": [astuple(mask) for mask in look.masks],
                "sha256": look.sha256,
                "bytes": look.bytes,
                "reason": look.reason,
            }
        )

    def remove(self) -> None:
        self._path.unlink()

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()  # to the system, which outlives a kill of this process


def _stamp(root: str, path: str) -> list[Any]:
    try:
        facts = os.stat(f"{root}/{path}")  # noqa: PTH116 - a fifth of what Path takes
    except OSError:
        return [path]
    return [path, facts.st_size, facts.st_mtime_ns]


def _read(path: Path, head: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Entries by path; none where another scan wrote them, or nobody did."""
    try:
        lines: Sequence[str] = path.read_text(encoding="ascii").split("\n")
    except OSError:
        return {}
    whole = []
    for line in lines[:-1]:  # what stands after the last line feed was cut
        try:
            whole.append(json.loads(line))
        except ValueError:  # a disk that was full, perhaps: what follows is looked at again
            break
    if whole[:1] != [head]:
        return {}
    return {entry["path"]: entry for entry in whole[1:]}
