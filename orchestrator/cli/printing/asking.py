"""Ask before something is stopped or removed; nobody is asked where nobody can answer."""

from __future__ import annotations

import sys

from orchestrator.cli.parsing.manner import Manner
from skint.errors import USAGE, SkintError


class NotConfirmed(SkintError):
    """It cannot be undone, and nobody is there to say yes."""

    exit_code = USAGE


def confirmed(question: str, manner: Manner, *, undoable: bool) -> bool:
    """Whether to go on. `question` says what is at stake, in hours or bytes, and ends with `?`.

    Where nobody can be asked, what can be undone is done. Raises NotConfirmed for the rest.
    """
    if manner.yes:
        return True
    if not manner.may_ask:
        if undoable:
            return True
        raise NotConfirmed(
            "this cannot be undone, so it wants a yes", got=question, next="add --yes"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was done", file=sys.stderr)
    return False
