"""A run that is queued under the name that was given, or under the next number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orchestrator.cli.inbox import Refused
from orchestrator.home import Home
from orchestrator.store.inbox import Inbox
from orchestrator.submitting.run_name import checked_name, next_run_name

T = TypeVar("T")


def numbered(home: Home, given: str | None, plan: str, send: Callable[[str], T]) -> T:
    """What `send` gives, which queues a run of the name it is given. Where another terminal has
    taken that name meanwhile, it is asked again with the next. Raises WrongName, and what it does.
    """
    name = _free(home, given, plan)
    while True:
        try:
            return send(name)
        except Refused:
            taken, name = name, _free(home, given, plan)
            if name == taken:
                raise


def _free(home: Home, given: str | None, plan: str) -> str:
    with Inbox(home.store) as inbox:
        names = inbox.run_names()
    return checked_name(given, names) or next_run_name(plan, names, home.runs)
