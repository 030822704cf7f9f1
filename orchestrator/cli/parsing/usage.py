"""`skint --help`: the commands by what one wants to do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from orchestrator.cli.commands import COMMANDS
from orchestrator.cli.printing.screen import LEAST_WIDTH

PURPOSES: Mapping[str, tuple[str, ...]] = {
    "start": ("init", "plan", "simulate"),
    "run": ("run", "submit", "exec", "scheduler", "tick"),
    "look": (
        "top", "status", "queue", "show", "logs", "metrics", "compare", "report", "artifacts",
        "replay",
    ),
    "stop and go on": (
        "cancel", "abort", "pause", "resume", "retry", "hold", "release", "answer", "baseline",
    ),
    "hours": ("budget", "ledger", "account"),
    "set up": ("doctor", "config", "slack", "cache", "completion", "schema"),
}  # fmt: skip
"""Those that are not named here stand last, under `more`."""


def by_purpose() -> dict[str, list[str]]:
    """The commands there are, by purpose."""
    named = {name for names in PURPOSES.values() for name in names}
    purposes = {
        purpose: [name for name in names if name in COMMANDS] for purpose, names in PURPOSES.items()
    }
    return {**purposes, "more": [name for name in COMMANDS if name not in named]}


def usage(columns: int) -> str:
    """Broken between words where a line would be longer than that."""
    width = max(map(len, COMMANDS))
    lines = ["usage: skint COMMAND [OPTIONS]", ""]
    lines += ["Trains vision models on an accelerator allowance that it never overdraws.", ""]
    for purpose, names in by_purpose().items():
        if names:
            lines += [purpose, *(f"  {name:<{width}}  {COMMANDS[name]}" for name in names), ""]
    lines += [
        "`skint COMMAND --help` tells more of one, `skint --version` which skint this is.",
        "exit codes: 0 ok, 1 failed, 2 usage or plan, 3 not found, 4 credentials, 5 over budget,"
        " 6 a run failed, 7 no scheduler, 130 Ctrl-C",
    ]
    return "\n".join(_broken(line, columns, width) for line in lines)


def _broken(line: str, columns: int, width: int) -> str:
    hang = " " * (width + 4 if line.startswith("  ") else 12 if line.startswith("exit") else 0)
    return textwrap.fill(
        line, max(columns, LEAST_WIDTH), subsequent_indent=hang, break_on_hyphens=False
    )
