"""A question that must be answered before something is stopped. Escape is no."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Static

from orchestrator.dashboard.question import Question


class Confirm(ModalScreen[bool]):
    """True for yes. The button that changes nothing has the focus."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(self.question.title, id="title", markup=False)
            yield Static(facts_table(self.question.facts), id="facts")
            with Horizontal(id="answers"):
                yield Button(f"y  {self.question.yes}", id="yes", variant="error")
                yield Button(f"n  {self.question.no}", id="no", variant="primary")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def facts_table(facts: tuple[tuple[str, str], ...]) -> Table:
    """(name, sentence), a line each; sentences are folded beside their names."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, sentence in facts:
        table.add_row(name, sentence)
    return table
