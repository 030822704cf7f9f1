"""Pictures are drawn when their notice is sent: in a process of its own, without accelerators.

A notice is made of events alone, so it can only name the picture that a job may have. Whether
there is one, and what it shows, is known when it is drawn. Called by the outbox's sender, never by
the scheduler; the job has ended by then, so none of its devices waits.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from notifiers.base import Notice, Picture
from orchestrator.pictures.record import PICTURE, Record, read_record, write_record
from skint.visibility import HIDDEN

TIMEOUT_S = 60.0
"""Drawing takes about a second; words wait for it."""


def mistakes_of(folder: str, title: str) -> Picture:
    """The picture that a finished attempt in `folder` may have. Pure."""
    return Picture(str(Path(folder, PICTURE)), title, "")


def with_pictures(notice: Notice, timeout_s: float = TIMEOUT_S) -> Notice:
    """The same with its pictures drawn and told in words; those that cannot be are left out.

    What is drawn once is not drawn again, so every notifier and every try has the same.
    """
    found = []
    for picture in notice.pictures:
        path = Path(picture.path)
        if path.name != PICTURE:
            found.append(picture)
            continue
        record = read_record(path.parent) or _draw(path.parent, picture.title, timeout_s)
        if record.missing:
            logging.getLogger(__name__).info("no %s: %s", picture.path, record.missing)
        else:
            found.append(replace(picture, alt_text=f"{picture.title}. {record.alt_text}"))
    return replace(notice, pictures=tuple(found))


def _draw(folder: Path, title: str, timeout_s: float) -> Record:
    if not (folder / "out" / "predictions.npz").is_file():
        return Record(missing="the job has published no predictions")
    missing = _drawing_fails(folder, title, timeout_s)
    record = read_record(folder)
    if record is None:
        record = Record(missing=missing or "nothing was drawn")
        logging.getLogger(__name__).warning("no picture of %s: %s", folder, record.missing)
        try:
            write_record(folder, record)
        except OSError as error:  # it is tried again with the next notice
            logging.getLogger(__name__).warning("%s cannot be written: %s", folder, error)
    return record


def _drawing_fails(folder: Path, title: str, timeout_s: float) -> str:
    """Run the child; why it failed, empty where it did not."""
    try:
        child = _child(folder, title)
    except OSError as error:  # no memory, no processes left: the words go out all the same
        return f"drawing could not start: {error.strerror}"
    with child:
        try:
            _, said = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return f"drawing took more than {timeout_s:g} s"
    lines = said.strip().splitlines()
    if child.returncode:
        return lines[-1] if lines else f"drawing ended with {child.returncode}"
    return ""


def _child(folder: Path, title: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator.pictures", str(folder), title],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **HIDDEN, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C at the terminal is not meant for it
    )
