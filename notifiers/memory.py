"""Keeps what it is told: for tests, and for whoever wants to see the words before the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from notifiers.base import Arrival, Notice
from notifiers.catalog import refuse_unknown


class Memory:
    """Shows what a reader would see: the last head of each run and, in order, its replies."""

    shows_pictures = True

    def __init__(self, name: str = "memory", lanes: Mapping[str, float] | None = None) -> None:
        self._name = name
        self._lanes = dict(lanes or {})
        self.sent: list[Notice] = []
        """Everything delivered, in order."""
        self.heads: dict[str, Notice] = {}
        """By run: what its head message says now."""
        self.replies: dict[str, list[Notice]] = {}
        """By run: its thread. A reply that came before any head stands under the empty name."""
        self.failures: deque[Exception] = deque()
        """Raised by the next sends, one each."""

    @property
    def name(self) -> str:
        return self._name

    @classmethod
    def check(cls, settings: Mapping[str, object]) -> None:
        refuse_unknown("memory", settings, ())

    @classmethod
    def place(cls, settings: Mapping[str, object]) -> str:
        return "memory"

    @classmethod
    def configure(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Memory:
        cls.check(settings)
        return cls()

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        return self._lanes

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        if self.failures:
            raise self.failures.popleft()
        self.sent.append(notice)
        if notice.topic == "head":
            self.heads[notice.run] = notice
            return {"head": notice.run}
        self.replies.setdefault(address.get("head", ""), []).append(notice)
        return address

    def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
        if all(known.key != notice.key for known in self.sent):
            return None
        return Arrival({"head": notice.run} if notice.topic == "head" else address)
