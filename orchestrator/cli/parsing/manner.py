"""How a command is to behave, said anywhere on its line: `--no-color --no-input -q -v -y`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

OPTIONS = {
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "-v": "verbose",
    "--verbose": "verbose",
    "-y": "yes",
    "--yes": "yes",
    "--no-input": "no_input",
    "--no-color": "no_color",
}

HELP = """everywhere:
  -y, --yes     do not ask; the answer is yes
  --no-input    never ask: a question is an error
  --no-color    as the variable NO_COLOR
  -q, --quiet   data and errors only
  -v, --verbose more words"""


@dataclass(frozen=True)
class Manner:
    json: bool = False
    """One JSON document on standard output, errors included."""
    quiet: bool = False
    verbose: bool = False
    yes: bool = False
    no_input: bool = False
    no_color: bool = False

    @property
    def may_ask(self) -> bool:
        """Whether somebody sits there who can answer."""
        return (
            not self.no_input
            and not self.json
            and sys.stdin.isatty()
            and sys.stderr.isatty()
            and "CI" not in os.environ
        )


def split(words: Sequence[str]) -> tuple[Manner, list[str]]:
    """What is said before the command, and the line without it.

    The rest is the parser's: only that of the command knows which words are values of its options,
    and what stands behind `--` is another program's. `--json` stays in the line, since a command
    without it refuses it; it is known here for errors of the line itself.
    """
    front = next((at for at, word in enumerate(words) if word not in OPTIONS), len(words))
    end = words.index("--") if "--" in words else len(words)
    said = {OPTIONS[word]: True for word in words[:front]}
    kept = [word for word in words[:front] if word == "--json"]
    return replace(Manner(), **said | {"json": "--json" in words[:end]}), [*kept, *words[front:]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """These options, of a parser and of each one below it; `HELP` tells of them."""
    for name in dict.fromkeys(OPTIONS.values()):
        if name != "json":
            parser.add_argument(
                *(option for option, called in OPTIONS.items() if called == name),
                dest=f"manner_{name}",
                action="store_true",
                default=argparse.SUPPRESS,  # or a parser below takes back what was said above it
                help=argparse.SUPPRESS,
            )


def with_said(manner: Manner, arguments: argparse.Namespace) -> Manner:
    """`manner`, with what was said behind the command."""
    said = {name: True for name in OPTIONS.values() if hasattr(arguments, f"manner_{name}")}
    return replace(manner, **said)
