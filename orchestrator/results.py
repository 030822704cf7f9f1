"""Results of earlier attempts that another run may use."""

from __future__ import annotations

from pathlib import Path

from skint.attempt import AttemptDir


def is_there(out: str) -> bool:
    """Whether every file that the attempt published is still in its `out/` folder.

    Looks at names only: whoever changes a result in place is not found out.
    """
    folder = Path(out)
    try:
        exit = AttemptDir(folder.parent).read_exit()
    except (OSError, ValueError, TypeError):
        return False
    if exit is None:  # an executor without a shim left its files and no record of them
        return folder.is_dir()
    return all((folder / name).is_file() for name in exit.outputs)
