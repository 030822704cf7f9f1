"""A virtual environment that holds a wheel and its core dependencies, made without a download.

The dependencies are linked from the environment that runs the tests: those that the wheel's
metadata names without extras, and theirs in turn. pip then installs the wheel beside them, and
fails if one is missing or outside its range.
"""

from __future__ import annotations

import importlib.metadata as installed
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("skint", "budget", "jobs", "notifiers", "orchestrator")


def build_wheel(folder: Path) -> Path:
    """Build from a copy, so that nothing is left in the source and nothing stale gets in."""
    source = folder / "source"
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source / name)
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    (wheel,) = folder.glob("skint-*.whl")
    return wheel


def clean_environment(folder: Path, wheel: Path) -> Path:
    """Make the environment; its `bin` folder."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for dependency in core_dependencies(wheel):
        link(dependency, site)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-index", str(wheel)], check=True, capture_output=True
    )
    return folder / "bin"


def core_dependencies(wheel: Path) -> Iterator[installed.Distribution]:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (
            entry for entry in zipfile.Path(archive).iterdir() if entry.name.endswith(".dist-info")
        )
        wanted = needs(installed.PathDistribution(metadata), {""})
    done: set[tuple[str, str]] = set()
    named: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras} - {extra for known, extra in done if known == name}
        if not extras:
            continue
        done |= {(name, extra) for extra in extras}
        dependency = installed.distribution(name)
        wanted += needs(dependency, extras)
        if name not in named:
            named.add(name)
            yield dependency


def needs(dist: installed.Distribution, extras: set[str]) -> list[Requirement]:
    """What it requires on this machine with these extras; "" stands for none."""
    requirements = [Requirement(line) for line in dist.requires or ()]
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def link(dist: installed.Distribution, site: Path) -> None:
    """Link a distribution's top-level files and folders; its scripts stay behind."""
    tops = {file.parts[0] for file in dist.files or ()} - {"..", "__pycache__"}
    assert tops, f"{dist.name} has no record of its files"
    for top in tops:
        target = Path(str(dist.locate_file(top)))
        if target.exists() and not (site / top).exists():
            (site / top).symlink_to(target)
