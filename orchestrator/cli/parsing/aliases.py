"""Other names of commands, and words for what people look for under a name that there is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.cli.commands import COMMANDS
from orchestrator.cli.parsing.manner import OPTIONS
from skint.errors import USAGE, SkintError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "daemon": ("scheduler",),
    "prune": ("cache", "prune"),
}

ELSEWHERE: Mapping[str, str] = {
    "estimate": "skint plan FILE says what is known; for a figure of this very plan add"
    " `probe: {uses: probe, needs: [folds]}` to it (docs/probing.md): about a minute of quota",
    "start": "skint submit FILE, or skint run FILE to stay with it",
    "stop": "skint cancel RUN ends a run, skint pause RUN parks it",
    "ps": "skint status, or skint queue",
    "ls": "skint status; skint artifacts RUN lists its files",
    "list": "skint status; skint artifacts RUN lists its files",
    "train": "skint run FILE; skint init FOLDER writes a plan for pictures",
    "quota": "skint budget; skint account set-quota NAME AMOUNT changes it",
    "dashboard": "skint top",
    "version": "skint --version",
    "kill": "skint cancel RUN --kill",
    "jobs": "skint queue, or skint show RUN",
    "login": "nothing to log in to here; skint doctor says which credentials are missing",
}
"""What does it instead, by names that other programs have for it."""


class UnknownCommand(SkintError):
    """There is no such command."""

    exit_code = USAGE


def meant(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command and its words, of a line that may begin with `--json` and use another name.

    Raises UnknownCommand.
    """
    front = next((at for at, word in enumerate(words) if word != "--json"), len(words))
    line = list(words[front:])
    if not line:
        raise UnknownCommand("a command is missing", got="--json alone", next="skint --help")
    if front and "--json" not in line:
        end = line.index("--") if "--" in line else len(line)
        line.insert(end, "--json")
    line[:1] = ALIASES.get(line[0], (line[0],))
    if line[0] not in COMMANDS:
        raise _unknown(line[0])
    return line[0], line[1:]


def _unknown(word: str) -> UnknownCommand:
    from difflib import get_close_matches

    if word.startswith("-"):
        options = ("--help", "--version", "--json", *OPTIONS)
        near = get_close_matches(word, options, n=1)
        return UnknownCommand(
            f"skint has no option {word}",
            got=word,
            wanted="a command, or " + ", ".join(sorted({*options})),
            next=f"did you mean {near[0]}?" if near else "skint --help",
        )
    near = get_close_matches(word, [*COMMANDS, *ALIASES], n=1)
    hint = f"did you mean `skint {near[0]}`?" if near else "skint --help"
    return UnknownCommand(f"there is no command {word!r}", next=ELSEWHERE.get(word, hint))
