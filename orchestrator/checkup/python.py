"""Python, the installation of skint, and other packages or files that hide its own."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

import skint
from orchestrator.checkup.finding import Finding, bad, ok, warn
from orchestrator.checkup.machine import Machine

LEAST = (3, 11)
ROOMS = ("skint", "budget", "jobs", "notifiers", "orchestrator")
STRANGERS = ("notifiers", "budget", "jobs", "orchestrator")
"""Distributions of these names would write over files of ours, or hide them."""


def look(machine: Machine) -> Iterator[Finding]:
    yield _python()
    yield from _skint(metadata_of("skint"), Path(skint.__file__).parent.parent)
    yield from strangers({name for name in STRANGERS if metadata_of(name) is not None})
    yield from beside(Path.cwd())


def metadata_of(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _python() -> Finding:
    version = platform.python_version()
    where = f"Python {version}, {sys.executable}"
    if sys.version_info < LEAST:
        wanted = ".".join(map(str, LEAST))
        return bad("python", f"{where}: skint needs {wanted} or newer", "install a newer Python")
    if sys.prefix == sys.base_prefix and not Path("/.dockerenv").exists():
        fix = "python3 -m venv .venv && .venv/bin/pip install skint"
        return warn("python", f"{where}: no environment of its own", fix)
    return ok("python", where)


def _skint(installed: metadata.Distribution | None, source: Path) -> Iterator[Finding]:
    if installed is None:
        yield warn("skint", f"skint {skint.__version__} runs from {source}, not installed",
                   f"pip install --editable {source}")  # fmt: skip
        return
    if installed.version != skint.__version__:
        yield bad(
            "skint",
            f"skint {skint.__version__} runs from {source}, {installed.version} is installed",
            f"pip install --editable {source}",
        )
        return
    elsewhere = [room for room in ROOMS if _folder_of(room) != source]
    if elsewhere:
        yield bad(
            "skint",
            f"{', '.join(elsewhere)} would be imported from {_folder_of(elsewhere[0])}, not from"
            f" {source}",
            f"pip install --force-reinstall --no-deps {source}",
        )
        return
    yield ok("skint", f"skint {skint.__version__} from {source}")


def _folder_of(room: str) -> Path | None:
    found = util.find_spec(room)
    return Path(found.origin).parent.parent if found is not None and found.origin else None


def strangers(names: set[str]) -> Iterator[Finding]:
    """Packages of others under names of ours."""
    for name in sorted(names):
        yield bad(
            "packages",
            f"the package {name!r} of PyPI is installed here: it and skint write over each other",
            f"pip uninstall -y {name} && pip install --force-reinstall --no-deps skint",
        )


def beside(folder: Path) -> Iterator[Finding]:
    """Files in `folder` that a plan there could not live beside."""
    if (folder / "skint" / "context.py").exists():  # skint's own sources
        return
    hidden = [
        name
        for name in ROOMS
        if (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()
    ]
    if hidden:
        yield warn(
            "packages",
            f"{', '.join(hidden)} here is called like a package of skint: plans in this folder"
            " are refused",
            f"rename it: mv {hidden[0]}* my_{hidden[0]}*",
        )
