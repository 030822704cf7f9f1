"""Where a training keeps its checkpoint, and finding the one to go on from. Standard library only.

A checkpoint is replaced in one step, and the one before is kept beside it: whatever moment the
machine goes down in, one of the two is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skint.environment import OUT, PREVIOUS
from skint.errors import SkintError

CHECKPOINT = Path("checkpoints", "last.ckpt")
"""Under `out`: what a stop saves, and what `trainer.fit(ckpt_path=...)` goes on from."""
BEFORE = Path("local", "before.ckpt")
"""Under `out`: the one that it replaced; not published, since when it was written depends on the
time that passed."""

FULL_BYTES = 2**20
"""With less than this left, a disk is full: what did not fit any more was larger."""


class CheckpointError(SkintError):
    """A checkpoint could not be written; the one before stands as it was."""


def partial_path(out: Path) -> Path:
    """Where the next checkpoint is written before it takes its place; the folder is there."""
    path = out / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.partial")


def keep(out: Path) -> Path:
    """Let what stands at `partial_path` be the checkpoint, durably; its path."""
    partial, path = partial_path(out), out / CHECKPOINT
    sync(partial)
    if path.exists():
        set_aside(out)
    partial.replace(path)
    sync(path.parent)
    return path


@contextmanager
def writing(partial: Path) -> Iterator[None]:
    """Around all that writes `partial` and puts it in its place.

    Raises CheckpointError where that fails, as on a full disk, and leaves nothing of it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch says RuntimeError of a file that it writes
        disk = os.statvfs(partial.parent)
        full = disk.f_bavail * disk.f_frsize < FULL_BYTES
        if partial.exists():
            # Emptied first: while the error is known, so is torch's open file, and the disk would
            # stay full for what has to be said of it.
            os.truncate(partial, 0)
            partial.unlink()
        raise CheckpointError(
            "the checkpoint could not be written",
            where=str(partial.parent),
            got="the disk is full" if full else str(error).partition("\n")[0][:200],
            next="make room there, then submit again",
        ) from error


def set_aside(out: Path) -> None:
    """Make the checkpoint the one before: where it is replaced, or no part of the result."""
    (out / BEFORE).parent.mkdir(exist_ok=True)
    (out / CHECKPOINT).replace(out / BEFORE)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def newest(out: Path) -> Path | None:
    """The newest whole checkpoint in an attempt's `out`; one that was cut short is passed over."""
    return next((out / name for name in (CHECKPOINT, BEFORE) if is_whole(out / name)), None)


def is_whole(path: Path) -> bool:
    """Whether a file that torch has saved is there to its end: its table of contents stands last.

    Every part is read once and compared with its checksum.
    """
    import zipfile  # not with the package: every worker imports this module

    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except (OSError, zipfile.BadZipFile, EOFError):
        return False


def resume_path() -> Path | None:
    """The checkpoint that this program goes on from, or None where it begins anew.

        trainer.fit(model, data, ckpt_path=skint.resume_path())

    It is the newest whole one of the job's previous attempt, brought along into this attempt's
    folder: should this attempt be lost before it saves, the next one finds it there. None outside
    skint.
    """
    if not (previous := os.environ.get(PREVIOUS)):
        return None
    found = newest(Path(previous))
    if found is None or not (out := os.environ.get(OUT)):
        return found
    return bring_along(found, Path(out))


def bring_along(found: Path, out: Path) -> Path:
    """Make `found` the checkpoint of `out` too, unless it has one already; its path there."""
    path = out / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    link(found, path)
    return path


def link(found: Path, path: Path) -> None:
    """The same file under a second name, or a copy where the disk has no links or is another.

    Another process of the attempt may do the same at the same time: the first one wins.
    """
    try:
        os.link(found, path)
    except FileExistsError:
        return
    except OSError:
        import shutil

        partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        shutil.copyfile(found, partial)
        sync(partial)
        partial.replace(path)
