"""docs/reference/commands.md: every command, its line and its examples, from the parsers."""

from __future__ import annotations

import argparse
import inspect

from docs.making.tables import head, rows
from orchestrator.cli.commands import COMMANDS, parser_of
from orchestrator.cli.parsing.aliases import ALIASES
from orchestrator.cli.parsing.manner import HELP
from orchestrator.cli.parsing.usage import by_purpose


def commands() -> list[str]:
    lines = head("Commands", "By what one wants to do. `skint COMMAND --help` says the same.")
    for purpose, names in by_purpose().items():
        if names:
            links = [(f"[`skint {name}`](#skint-{name})", COMMANDS[name]) for name in names]
            lines += [f"**{purpose.capitalize()}**", "", *rows(("command", "what it does"), links)]
    others = [(f"`skint {name}`", f"`skint {' '.join(to)}`") for name, to in ALIASES.items()]
    lines += ["**Other names**", "", *rows(("name", "is"), others)]
    lines += ["## Everywhere", "", "```text", *HELP.splitlines()[1:], "```", ""]
    for names in by_purpose().values():
        for name in names:
            lines += command(name)
    return lines


def command(name: str) -> list[str]:
    module, parser = parser_of(name)
    lines = [f"## skint {name}", "", f"{COMMANDS[name].capitalize()}.", ""]
    lines += paragraphs(inspect.getdoc(module) or "")
    lines += line_of(parser)
    examples = getattr(module, "EXAMPLES", ())
    if examples:
        lines += ["```console", *(f"$ {one}" for one in examples), "```", ""]
    return lines


def paragraphs(text: str) -> list[str]:
    """Indented ones are code."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        code = any(line.startswith(" ") for line in paragraph.splitlines())
        lines += ["```text", paragraph, "```", ""] if code else [paragraph, ""]
    return lines


def line_of(parser: argparse.ArgumentParser) -> list[str]:
    lines: list[str] = []
    body = [
        (f"`{said_as(action)}`", action.help or "")
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        and action.help != argparse.SUPPRESS
    ]
    if body:
        lines += rows(("word or option", "meaning"), body)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            for name, below in action.choices.items():
                lines += [f"### {below.prog}", "", f"{helps.get(name, '').capitalize()}.", ""]
                lines += line_of(below)
    return lines


def said_as(action: argparse.Action) -> str:
    """`-o, --output FILE`, `RUN`, `--only {a,b}`."""
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if isinstance(action.metavar, tuple):
        value = " ".join(action.metavar)
    if not action.option_strings:
        return value + (" …" if action.nargs in ("*", "+") else "")
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"
