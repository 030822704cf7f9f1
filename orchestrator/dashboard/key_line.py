"""The last line: the keys that do something now. They can be clicked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from orchestrator.dashboard.ink import Piece, padded
from orchestrator.dashboard.keys import BY_ACTION, Key
from orchestrator.dashboard.painted import Painted

ALWAYS = (BY_ACTION["help"], BY_ACTION["quit"])


class KeyLine(Painted):
    """As many keys as fit; those that are `kept` are always among them."""

    @dataclass
    class Pressed(Message):
        key: Key

    def __init__(self) -> None:
        super().__init__("keys")
        self._places: tuple[tuple[int, int, Key], ...] = ()

    def show(self, keys: Sequence[Key], width: int, kept: Sequence[Key] = ALWAYS) -> None:
        room = width - sum(_cells(key) for key in kept) - 1
        first: list[Key] = []
        for key in keys:
            if key in kept:
                continue
            room -= _cells(key)
            if room < 0:
                break
            first.append(key)
        pieces: list[Piece] = [(" ", "")]
        places = []
        at = 1
        for key in (*first, *kept):
            pieces += [(key.shown, "bold key"), (f" {key.short}  ", "")]
            places.append((at, at + _cells(key) - 2, key))
            at += _cells(key)
        pieces.append((padded("", max(0, width - at)), ""))
        self._places = tuple(places)
        self.paint((tuple(pieces),))

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._places:
            if start <= event.x < end:
                self.post_message(self.Pressed(key))


def _cells(key: Key) -> int:
    return len(key.shown) + 1 + len(key.short) + 2
