"""What the lines of all commands look like, as plain data.

Taking it from the parsers means to import every command. That is done once for a version of the
commands and kept in `SKINT_HOME/completion.json`, so that a person who presses TAB does not wait.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skint import __version__
from skint.attempt import write_atomic

FORMAT = 1
_BY_METAVAR = {
    "RUN": "run",
    "JOB": "job",
    "ACCOUNT": "account",
    "FILE": "plan",
    "PLAN": "plan",
    "FOLDER": "folder",
    "DIR": "folder",
}
_BY_DEST = {
    "account": "account",
    "parent": "account",
    "job": "job",
    "about": "job",
    "group": "group",
    "fold": "fold",
    "output": "file",
}
"""What stands where: runs, jobs and so on are looked up when they are asked for."""


def lines(kept: Path) -> Mapping[str, Any]:
    """By command: its summary, options, actions and what else stands on its line."""
    stamp = _stamp()
    known = _read(kept)
    if known is not None and known.get("stamp") == stamp:
        return known["commands"]  # type: ignore[no-any-return]
    commands = _taken()
    text = json.dumps({"format": FORMAT, "stamp": stamp, "commands": commands})
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(kept, text.encode(), durable=False)
    except OSError:  # a home that cannot be written: the next TAB takes as long
        return commands
    return commands


def _stamp() -> list[object]:
    """Changes with the files of the commands."""
    folder = Path(__file__).resolve().parent.parent
    files = [path.stat() for path in folder.glob("*.py")]
    return [FORMAT, __version__, len(files), max(file.st_mtime_ns for file in files)]


def _read(kept: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and known.get("format") == FORMAT else None


def _taken() -> dict[str, Any]:
    from orchestrator.cli.commands import COMMANDS, parser_of

    return {
        name: {"summary": summary, **_line(parser_of(name)[1])}
        for name, summary in COMMANDS.items()
    }


def _line(parser: argparse.ArgumentParser) -> dict[str, Any]:
    options: dict[str, Any] = {}
    words: list[dict[str, Any]] = []
    actions: dict[str, Any] = {}
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            for name, below in action.choices.items():
                actions[name] = {"summary": helps.get(name, ""), **_line(below)}
        elif action.option_strings:
            said = {"help": action.help or "", "takes": action.nargs != 0, **_value(parser, action)}
            options.update(dict.fromkeys(action.option_strings, said))
        else:
            words.append({"many": action.nargs in ("*", "+"), **_value(parser, action)})
    program = bool(getattr(parser, "takes_program", False))
    return {"options": options, "words": words, "actions": actions, "program": program}


def _value(parser: argparse.ArgumentParser, action: argparse.Action) -> dict[str, Any]:
    if action.choices is not None:
        return {"kind": "", "choices": list(map(str, action.choices))}
    if action.dest == "preset":
        from budget.accounts.presets import PRESETS

        return {"kind": "", "choices": list(PRESETS)}
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    kind = _BY_DEST.get(action.dest) or _BY_METAVAR.get(metavar, "")
    if not kind and parser.prog.startswith("skint account ") and action.dest == "name":
        kind = "" if parser.prog.endswith(" add") else "account"
    return {"kind": kind, "choices": []}
