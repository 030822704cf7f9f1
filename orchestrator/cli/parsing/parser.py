"""A command's parser: a mistake on the line is an error like any other; help fits the screen."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from orchestrator.cli.parsing.manner import OPTIONS, add_options
from skint.errors import USAGE, SkintError

_KINDS: dict[Callable[[str], Any], str] = {int: "a whole number", float: "a number"}
_TOO_MANY = "unrecognized arguments: "
_MISSING = "the following arguments are required: "
_ONE_OF = "one of the arguments "
LONGEST_USAGE = 110
"""Characters of a usage line that say more at a glance than `--help` would."""


class WrongLine(SkintError):
    """An option, a word or a value on the command line is not one that the command takes."""

    exit_code = USAGE


class Parser(argparse.ArgumentParser):
    """Raises WrongLine where argparse would print and exit. Its subparsers are of its kind."""

    takes_program = False
    """What stands behind `--` is a program of the user's and its arguments: `arguments.program`."""

    def __init__(self, **given: Any) -> None:
        given.setdefault("formatter_class", Help)
        given.setdefault("allow_abbrev", False)
        super().__init__(**given)
        add_options(self)

    def parse_args(  # type: ignore[override]  # the overload with a namespace of one's own
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        words = list(sys.argv[1:] if args is None else args)
        program: list[str] = []
        if self.takes_program and "--" in words:
            end = words.index("--")
            words, program = words[:end], words[end + 1 :]
        found, extra = self.parse_known_args(words, namespace)
        if extra and self.takes_program:
            raise WrongLine(
                f"`{self.prog}` cannot tell its own words from the program's",
                got=" ".join(extra),
                wanted="`--` before the program",
                next=self._usage_line(),
            )
        if extra:
            raise self._meant(words)._too_many(extra[0])
        if self.takes_program and not program:
            raise WrongLine(
                f"`{self.prog}` wants a program", wanted="-- PROGRAM", next=self._usage_line()
            )
        if self.takes_program:
            found.program = program
        return found

    def error(self, message: str) -> NoReturn:
        if message.startswith(_TOO_MANY):
            raise self._too_many(message.removeprefix(_TOO_MANY).split(" ")[0])
        if message.startswith(_MISSING):
            missing = message.removeprefix(_MISSING).split(", ")
            named = ", as `skint status` names it" if "RUN" in missing else ""
            raise WrongLine(
                f"`{self.prog}` wants more on its line",
                wanted=", ".join(map(self._shown, missing)) + named,
                next=self._usage_line(),
            )
        if message.startswith(_ONE_OF):
            options = message.removeprefix(_ONE_OF).removesuffix(" is required").split(" ")
            raise WrongLine(
                f"`{self.prog}` wants one of its options",
                wanted=" or ".join(map(self._shown, options)),
                next=self._usage_line(),
            )
        name, _, rest = message.removeprefix("argument ").partition(": ")
        raise (
            self._of_option(name, rest)
            if rest
            else WrongLine(
                f"`{self.prog}` cannot take this line: {message}", next=f"{self.prog} --help"
            )
        )

    def _of_option(self, name: str, trouble: str) -> WrongLine:
        """What argparse says of an option, which it calls by all of its names, as one would."""
        action = self._option_string_actions.get(name.partition("/")[0])
        said, help = trouble.split("'")[1::2], f"{self.prog} --help"
        if action is not None and trouble.startswith("expected "):
            return WrongLine(
                f"`{self.prog}` wants a value behind {name}",
                wanted=f"{name.split('/')[-1]} {action.metavar or action.dest.upper()}"
                + (f": {action.help}" if action.help else ""),
                next=f"one that begins with a dash is said as {name.split('/')[-1]}=-…",
            )
        if action is not None and trouble.startswith("ignored explicit argument"):
            return WrongLine(
                f"`{self.prog}` wants no value behind {name}",
                got=said[0] if said else None,
                wanted=name.split("/")[-1],
                next=help,
            )
        if trouble.startswith("not allowed with argument "):
            other = trouble.removeprefix("not allowed with argument ")
            return WrongLine(
                f"`{self.prog}` cannot do both", got=f"{other} and {name}", wanted="one of them"
            )
        return WrongLine(f"`{self.prog}` cannot take this line: {name}: {trouble}", next=help)

    def _too_many(self, word: str) -> WrongLine:
        options = sorted(self._option_string_actions)
        if not word.startswith("-"):
            return WrongLine(
                f"`{self.prog}` has no use for this word", got=word, next=self._usage_line()
            )
        option = word.partition("=")[0]
        near = nearest(option, options)
        known = {"--help", *OPTIONS} - {"--json"}  # those that every command has
        return WrongLine(
            f"`{self.prog}` has no option {option}",
            got=word,
            wanted=", ".join(one for one in options if one.startswith("--") and one not in known)
            or "no options",
            next=f"did you mean {near}?" if near else f"{self.prog} --help",
        )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(map(str, action.choices))
        near = nearest(str(value), known)
        raise WrongLine(
            f"`{self.prog}` does not know this"
            + "".join(f" for {option}" for option in action.option_strings[-1:]),
            got=value,
            wanted=", ".join(known),
            next=f"did you mean {near}?" if near else f"{self.prog} --help",
        )

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            name = "/".join(action.option_strings) or action.metavar or action.dest
            kind = _KINDS.get(action.type) if callable(action.type) else None
            own = not error.message.startswith("invalid ")
            raise WrongLine(
                f"`{self.prog}` cannot use this for {name}",
                got=arg_string,
                wanted=kind or (error.message if own else action.help),
                next=f"{self.prog} --help",
            ) from None

    def _meant(self, words: Sequence[str]) -> Parser:
        """The parser of the action that `words` name: its options are those to choose from."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word in words:
                    below = action.choices.get(word)
                    if isinstance(below, Parser):
                        return below
        return self

    def _shown(self, name: str) -> str:
        """An argument by the name that argparse calls it by: with its value, or its choices."""
        for action in self._actions:
            if name in action.option_strings and action.nargs != 0:
                return f"{name} {action.metavar or action.dest.upper()}"
            if name in (action.metavar, action.dest) and action.choices:
                return " or ".join(map(str, action.choices))
        return name

    def _usage_line(self) -> str:
        line = " ".join(self.format_usage().removeprefix("usage: ").split())
        return line if len(line) <= LONGEST_USAGE else f"{self.prog} --help"


class Help(argparse.HelpFormatter):
    """Paragraphs are filled; what is indented, or stands in a list, keeps its lines."""

    def __init__(self, prog: str, **given: Any) -> None:
        given.setdefault("max_help_position", 28)
        super().__init__(prog, **given)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            _filled(paragraph, width, indent) for paragraph in text.strip("\n").split("\n\n")
        )


def _filled(paragraph: str, width: int, indent: str) -> str:
    lines = paragraph.splitlines()
    if any(line.startswith((" ", "- ", "| ")) for line in lines):
        return "\n".join(indent + line for line in lines)
    return textwrap.fill(
        re.sub(r"\s+", " ", paragraph),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What was probably meant, by its spelling."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return near[0] if near else None
