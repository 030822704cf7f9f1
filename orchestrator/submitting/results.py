"""Whether results of earlier attempts are still what they were, for another run to use."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from skint.attempt import AttemptDir, write_json
from skint.outputs import sha256_of, stamps_of

GONE = "its files are gone"


def is_there(out: str) -> bool:
    """Whether the attempt that published into `out/` can stand in for another one like it."""
    return not wrong_with(out)


def wrong_with(out: str, *, whole: bool = False) -> str:
    """Why a result cannot be used, as a clause; empty where it can.

    Files whose size and time are those that were noted when they were hashed are not read again,
    unless `whole` says so; the others are, and noted anew where they are as they were. What
    somebody put beside them does not count.
    """
    folder = Path(out)
    attempt = AttemptDir(folder.parent)
    try:
        exit = attempt.read_exit()
    except (OSError, ValueError, TypeError):
        return "its record cannot be read"
    if exit is None:  # an executor without a shim left its files and no record of them
        return "" if folder.is_dir() else GONE
    noted = _read(attempt.stamp)
    now = stamps_of(folder, exit.outputs)
    if exit.outputs and not now:
        return GONE
    missing = exit.outputs.keys() - now.keys()
    if missing:
        return f"{_first(missing)} missing"
    known = _read(attempt.damage)
    if known.get("stamps") == now and not whole:
        return str(known.get("what"))
    suspects = [name for name, stamp in now.items() if whole or noted.get(name) != stamp]
    try:
        bad = [name for name in suspects if sha256_of(folder / name) != exit.outputs[name]]
    except OSError as error:
        return f"{error.filename or folder} cannot be read ({error.strerror})"
    if bad:
        what = _damage(bad, noted, now)
        # Nobody has to read it all to find that out once more.
        _write(attempt.damage, {"stamps": now, "what": what})
        return what
    if noted != now:
        _write(attempt.stamp, now)
    if known:
        with contextlib.suppress(OSError):
            attempt.damage.unlink(missing_ok=True)
    return "" if folder.is_dir() else GONE


def has_files(out: str) -> bool:
    """Whether an attempt that did not finish has left anything in its `out/`."""
    try:
        with os.scandir(out) as entries:
            return any(True for _ in entries)
    except OSError:
        return False


def _damage(bad: list[str], noted: dict[str, Any], now: dict[str, list[int]]) -> str:
    change = now[bad[0]][0] - noted[bad[0]][0] if bad[0] in noted else 0
    size = f" ({abs(change):,} bytes {'shorter' if change < 0 else 'longer'})" if change else ""
    if len(bad) == 1:
        return f"{bad[0]} is not what was published{size}"
    return f"{len(bad)} files, {bad[0]} among them, are not what was published{size}"


def _first(missing: set[str]) -> str:
    first = min(missing)
    return f"{first} is" if len(missing) == 1 else f"{len(missing)} files, {first} among them, are"


def _read(path: Path) -> dict[str, Any]:
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _write(path: Path, noted: dict[str, Any]) -> None:
    """A folder that cannot be written costs reading the files again the next time."""
    with contextlib.suppress(OSError):
        write_json(path, noted)
