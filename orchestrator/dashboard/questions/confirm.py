"""A question that must be answered before something is stopped. Escape is no."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Static

from orchestrator.dashboard.questions.question import Choice, Question


class Confirm(ModalScreen[Choice | None]):
    """The choice that was made; None where none was. The last button, which changes nothing, has
    the focus."""

    AUTO_FOCUS = "#choice-last"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "No"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(self.question.title, id="title", markup=False)
            yield Static(facts_table(self.question.facts), id="facts")
            with Horizontal(id="answers"):
                last = len(self.question.choices) - 1
                for number, choice in enumerate(self.question.choices):
                    yield Button(
                        f"{choice.key}  {choice.label}",
                        id="choice-last" if number == last else f"choice-{number}",
                        variant="error" if choice.grave else "primary",
                        compact=True,
                    )

    def on_key(self, event: events.Key) -> None:
        for choice in self.question.choices:
            if event.key == choice.key:
                event.stop()
                self.dismiss(choice)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        named = (event.button.id or "").removeprefix("choice-")
        self.dismiss(self.question.choices[-1 if named == "last" else int(named)])


def facts_table(facts: tuple[tuple[str, str], ...]) -> Table:
    """(name, sentence), a line each; sentences are folded beside their names."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, sentence in facts:
        table.add_row(name, sentence)
    return table
