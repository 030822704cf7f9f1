"""Versions of installed packages, read from what was installed: nothing of them is imported."""

from __future__ import annotations

from collections.abc import Iterable


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """The installed version of each package, by its name on the index; empty where it is not
    installed."""
    names = tuple(names)
    if not names:
        return {}
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in names:
        try:
            found[name] = version(name) or ""
        except PackageNotFoundError:
            found[name] = ""
    return found
