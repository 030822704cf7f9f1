"""What a run is called: the name that was given, or the next number."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from orchestrator.commands import RUN_NAME, RUN_NAME_WANTED
from skint.errors import USAGE, SkintError


class WrongName(SkintError):
    """No run can be called so."""

    exit_code = USAGE


def checked_name(given: str | None, names: Collection[str]) -> str | None:
    """Raises WrongName where no run can be called so, or one is."""
    if given is not None and not RUN_NAME.fullmatch(given):
        raise WrongName("a run cannot have this name", got=given, wanted=RUN_NAME_WANTED)
    if given in names:
        raise WrongName("there is a run of this name already", got=given, wanted="another name")
    return given


def next_run_name(plan: str, names: Collection[str], runs_dir: Path) -> str:
    """`PLAN-1`, `PLAN-2`, …: the first number above all that are taken; `names` are those of runs.

    A folder in `runs_dir` takes one too: the store that knew of it may be gone.
    """
    prefix = f"{plan}-"
    folders = [path.name for path in runs_dir.iterdir()] if runs_dir.is_dir() else []
    numbers = [
        int(name.removeprefix(prefix))
        for name in (*names, *folders)
        if name.startswith(prefix) and name.removeprefix(prefix).isdigit()
    ]
    return f"{prefix}{max(numbers, default=0) + 1}"
