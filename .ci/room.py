"""Whether there is room for what `make` installs: `python .ci/room.py VENV GB`, GB when it is done.

The Makefile asks before it installs, with any Python and nothing of skint: a disk that is full in
the middle ends pip with words of its own. pip keeps all packages in the temporary folder until it
unpacks them, and copies in its cache: half of the environment's size each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GB = 10**9


def complaint(venv: Path, whole_gb: float) -> str | None:
    missing = max(0.0, whole_gb - size_gb(venv))
    parts = [
        (missing, "for the environment", venv),
        (missing / 2, "for packages until they are unpacked", Path(tempfile.gettempdir())),
    ]
    if cache := pip_cache():
        copies = max(0.0, missing / 2 - size_gb(cache))  # it may hold them already
        parts.append((copies, "for copies of them in pip's cache", cache))
    disks: dict[int, list[tuple[float, str, Path]]] = {}
    for part in parts:
        disks.setdefault(there(part[2]).stat().st_dev, []).append(part)
    for on_it in disks.values():
        place = on_it[0][2]
        free, wanted = shutil.disk_usage(there(place)).free / GB, sum(part[0] for part in on_it)
        if free < wanted:
            each = ", ".join(f"{gb:.1f} {what} ({path})" for gb, what, path in on_it)
            return (
                f"error: {place}: too little room on its disk for skint, torch and Lightning\n"
                f"  got     {free:.1f} GB free\n"
                f"  wanted  {wanted:.1f} GB: {each}\n"
                "  next    export VENV=… TMPDIR=… PIP_CACHE_DIR=…  (folders on a larger disk)\n"
                "          export ROOM_GB=2  where pip is given a torch without CUDA"
            )
    return None


def size_gb(folder: Path) -> float:
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files) / GB


def pip_cache() -> Path | None:
    """None: pip keeps no copies."""
    asked = [sys.executable, "-m", "pip", "cache", "dir"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return Path(said) if said else None


def there(path: Path) -> Path:
    """The nearest folder above that exists: it is on the same disk."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


if __name__ == "__main__":
    sys.exit(complaint(Path(sys.argv[1]), float(sys.argv[2])))
