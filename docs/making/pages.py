"""All pages of the reference."""

from __future__ import annotations

from docs.making.answers import json_page
from docs.making.commands import commands
from docs.making.errors import errors_page, exit_codes, reason_codes
from docs.making.events import events_page
from docs.making.plans import jobs, plan


def pages() -> dict[str, str]:
    """The text of each page, by its file's name."""
    made = {
        "commands.md": commands(),
        "plan.md": plan(),
        "jobs.md": jobs(),
        "events.md": events_page(),
        "reason-codes.md": reason_codes(),
        "exit-codes.md": exit_codes(),
        "errors.md": errors_page(),
        "json.md": json_page(),
    }
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}
