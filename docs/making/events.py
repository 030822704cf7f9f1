"""docs/reference/events.md: every event and its fields."""

from __future__ import annotations

import inspect
from dataclasses import fields

from docs.making.tables import head, rows
from orchestrator.events import events
from orchestrator.events.event import Event
from orchestrator.plans.json_schema import field_docs


def events_page() -> list[str]:
    lines = head(
        "Events",
        "The ordered table of events is the truth about runs; everything else follows from it.",
        "Every event has `at_ms` (Unix milliseconds) and `run`.",
        "`skint replay` projects them again.",
    )
    kinds = [
        kind
        for _, kind in inspect.getmembers(events, inspect.isclass)
        if issubclass(kind, Event) and kind is not Event
    ]
    common = {one.name for one in fields(Event)}
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        doc = inspect.getdoc(kind) or ""
        lines += [f"## {kind.__name__}", ""]
        if not doc.startswith(f"{kind.__name__}("):  # what dataclasses write where there is none
            lines += [doc.replace("\n", " "), ""]
        docs = field_docs(kind)
        body = [
            (f"`{one.name}`", f"`{one.type}`".replace("e.", ""), docs.get(one.name, ""))
            for one in fields(kind)
            if one.name not in common
        ]
        if body:
            lines += rows(("field", "type", "meaning"), body)
    return lines
