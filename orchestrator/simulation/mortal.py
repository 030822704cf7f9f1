"""What stands between a scheduler and all that is outside of it, and may end either.

A kill -9 is an exception that nobody catches, at a call to the outside: before it is carried out,
or after. A full disk is what every write then raises.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from orchestrator.simulation.admitted import must

NEVER = 1 << 60
MOST_CALLS = 20_000
"""Far more than any round makes."""


class Killed(BaseException):
    """What the scheduler gets instead of a kill -9. Nothing of it lives on."""


@dataclass
class Fate:
    """How many more calls to the outside a scheduler lives, and which of them fail."""

    edges: int = NEVER
    full: set[str] = field(default_factory=set)
    """`store`, `ledger`: on the full disk."""
    happened: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    """In this round."""

    def draw(self, dice: random.Random) -> None:
        """A new life."""
        self.edges = dice.choice((dice.randrange(60), dice.randrange(600), NEVER))

    def pass_edge(self) -> None:
        self.edges -= 1
        self.calls += 1
        must(self.calls < MOST_CALLS, "a round of the scheduler never ends")
        if self.edges < 0:
            self.happened["scheduler killed"] += 1
            raise Killed


class Mortal:
    """Passes every call on to `outside`, as long as fate lets it.

    `writes` are the names of the methods that need room on the disk `disk`; `refusal` is what
    they raise where there is none. `after` hears of every call that was carried out.
    """

    def __init__(
        self,
        outside: Any,
        fate: Fate,
        *,
        disk: str = "",
        writes: Collection[str] = (),
        refusal: Callable[[], Exception] = RuntimeError,
        after: Callable[[str, dict[str, Any], Any], None] = lambda name, given, answer: None,
    ) -> None:
        self._outside = outside
        self._fate = fate
        self._disk = disk
        self._writes = frozenset(writes)
        self._refusal = refusal
        self._after = after

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._outside, name)
        if not callable(value):
            return value

        def call(*args: Any, **more: Any) -> Any:
            self._fate.pass_edge()
            if name in self._writes and self._disk in self._fate.full:
                self._fate.happened[f"{self._disk} disk full"] += 1
                raise self._refusal()
            answer = value(*args, **more)
            self._after(name, more, answer)
            self._fate.pass_edge()
            return answer

        self.__dict__[name] = call
        return call
