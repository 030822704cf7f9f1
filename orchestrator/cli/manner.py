"""How a command is to behave, said anywhere on its line: `--no-color --no-input -q -v -y`."""

from __future__ import annotations

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
  --no-input    never ask; what would have to be asked is an error
  --no-color    as the variable NO_COLOR
  -q, --quiet   no words about what was done; data and errors only
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
    """The manner, and the line without it; what stands behind `--` is another program's.

    `--json` stays in the line: a command without it refuses it.
    """
    end = words.index("--") if "--" in words else len(words)
    said = {OPTIONS[word]: True for word in words[:end] if word in OPTIONS}
    rest = [word for word in words[:end] if word not in OPTIONS or word == "--json"]
    return replace(Manner(), **said), [*rest, *words[end:]]
