"""The clock: of this machine, of the disk, of others; the time zone."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine

SAMPLE_S = 0.2
JUMP_S = 0.05
APART_S = 2.0
FAR_S = 120.0
ASKED = "https://slack.com/api/api.test"
TIMEOUT_S = 10.0
_UNSYNCHRONISED = 5
_TIMEX_BYTES = 512
"""More than `struct timex` has anywhere."""
SYNC = "timedatectl set-ntp true"


def look(machine: Machine) -> Iterator[Finding]:
    yield _jumps()
    yield from _synchronised(machine.root)
    yield from _disk(machine.home.path)
    yield from future(machine.home.store, time.time())
    if machine.online:
        yield _others()
    yield _zone(machine.environ.get("TZ"))


def _jumps() -> Finding:
    """Whether the clock runs as fast as time goes by."""
    wall_s, steady_s = time.time(), time.monotonic()
    time.sleep(SAMPLE_S)
    off_s = (time.time() - wall_s) - (time.monotonic() - steady_s)
    if abs(off_s) > JUMP_S:
        return warn("clock", f"it jumped by {off_s:+.2f} s in {SAMPLE_S:g} s", SYNC)
    return ok("clock", f"runs evenly, {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}")


def _synchronised(root: Path) -> Iterator[Finding]:
    """What the kernel says of it; nothing where it cannot be asked, or a host keeps the time."""
    if not (root / "run" / "systemd" / "system").is_dir():
        return
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state == _UNSYNCHRONISED:
        yield warn("clock", "nothing keeps it right (no NTP), as far as the kernel knows", SYNC)


def _disk(home: Path) -> Iterator[Finding]:
    """A server that keeps the files has a clock of its own, which dates them."""
    folder = next(path for path in (home, *home.parents) if path.is_dir())
    if not os.access(folder, os.W_OK):
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".skint-clock-") as file:
        off_s = Path(file.name).stat().st_mtime - time.time()
    if abs(off_s) > APART_S:
        yield warn("clock", f"the disk of {folder} is {off_s:+.0f} s off this machine", SYNC)


def future(store: Path, now_s: float) -> Iterator[Finding]:
    """Events that have not happened yet: the clock was ahead then, or is behind now."""
    if not store.exists():
        return
    try:
        address = f"{store.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            (last_ms,) = connection.execute("SELECT max(at_ms) FROM event").fetchone()
    except sqlite3.Error:  # damaged: the check `files` tells
        return
    ahead_s = (last_ms or 0) / 1000 - now_s
    if ahead_s > FAR_S:
        yield bad(
            "clock",
            f"the last event is {ahead_s / 60:.0f} min in the future: the clock was set back",
            f"{SYNC}; date",
        )


def _others() -> Finding:
    try:
        with urllib.request.urlopen(ASKED, timeout=TIMEOUT_S) as answer:
            said = answer.headers.get("Date", "")
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        return warn("clock", f"no clock on the network was reached: {error}")
    off_s = time.time() - parsedate_to_datetime(said).timestamp()
    if abs(off_s) > FAR_S:
        return bad(
            "clock", f"{off_s:+.0f} s beside the network's: weeks end at the wrong time", SYNC
        )
    return ok("clock", f"{off_s:+.0f} s beside the network's")


def _zone(named: str | None) -> Finding:
    zone = datetime.now().astimezone()
    if named and named.lstrip(":") and not _is_zone(named.lstrip(":")):
        return warn(
            "time zone", f"TZ={named} is not known here, so it is taken for UTC", "unset TZ"
        )
    return ok("time zone", f"{zone:%Z} ({zone:%z}); weeks are counted in the zone of each account")


def _is_zone(name: str) -> bool:
    if name.startswith("/") or "," in name or any(c.isdigit() for c in name.partition("/")[0]):
        return True  # a file, or a rule written out: the C library reads those
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        return False
    return True
