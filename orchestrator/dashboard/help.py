"""The keys of a screen. One that does nothing at the moment says why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from orchestrator.dashboard.keys import Key


class Help(ModalScreen[None]):
    """`keys` with why each of them does nothing now, empty where it does something; `moves` are
    said below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss")]

    def __init__(self, keys: Sequence[tuple[Key, str]], moves: str) -> None:
        super().__init__()
        self._keys, self._moves = keys, moves

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog") as dialog:
            dialog.can_focus = True
            yield Label("Keys", id="title")
            yield Static(self._table(), id="facts")
            yield Label(self._moves, id="hint", markup=False)
            yield Label("Esc closes", id="closes")

    def _table(self) -> Table:
        variables = self.app.theme_variables
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style=f"bold {variables['primary']}")
        table.add_column(overflow="fold")
        for group, keys in groupby(self._keys, lambda one: one[0].group):
            table.add_row("", Text(group, "bold"))
            for key, why in keys:
                words = Text(key.does, "dim" if why else "")
                if why:
                    words.append(f" · not now: {why}", variables["warning"])
                table.add_row(key.shown, words)
        return table
