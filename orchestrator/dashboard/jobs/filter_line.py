"""The line in which the filter is typed. It is there only while somebody types: an input that is
hidden would still take the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterLine(Input):
    """`Changed` while it is typed; `Left` when it is over, with what is to hold from then on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    @dataclass
    class Left(Message):
        text: str

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text,
            placeholder="run, model, state or account · Enter keeps it, Esc ends it",
            id="filter",
            compact=True,
            select_on_focus=False,
        )

    @on(Input.Submitted)
    def _kept(self) -> None:
        self.post_message(self.Left(self.value))

    def action_leave(self) -> None:
        self.post_message(self.Left(""))
