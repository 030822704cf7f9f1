"""What may stand where the cursor is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, dropwhile
from typing import Any

from orchestrator.cli.completing import known
from orchestrator.cli.parsing.aliases import ALIASES
from orchestrator.cli.parsing.manner import OPTIONS
from orchestrator.home import Home

Offer = tuple[str, str]
"""A word, and what it is."""
EVERYWHERE = {
    name: {"help": "", "takes": False, "kind": "", "choices": []}
    for name in (*OPTIONS, "-h", "--help")
    if name != "--json"
}
PLANS = (".yaml", ".yml")


def offers(words: Sequence[str], commands: Mapping[str, Any], home: Home) -> list[Offer]:
    """What begins like the last of `words`, which are those behind `skint` up to the cursor."""
    *before, begun = words or [""]
    option, sign, value = begun.partition("=")
    if sign and option.startswith("--") and "--" not in before:
        values = offers([*before, option, value], commands, home)
        return [(f"{option}={word}", said) for word, said in values]
    found = list(chain.from_iterable(_all(before, begun, commands, home)))
    # A file may be called by a line break or by what moves the cursor: no shell is given that.
    fitting = [one for one in found if one[0].startswith(begun) and one[0].isprintable()]
    return list(dict(reversed(fitting)).items())[::-1]


def _all(
    before: Sequence[str], begun: str, commands: Mapping[str, Any], home: Home
) -> Iterable[Iterable[Offer]]:
    rest = [*dropwhile(lambda word: word in EVERYWHERE or word == "--json", before)]
    if not rest:
        yield ((name, said["summary"]) for name, said in commands.items())
        yield ((name, "skint " + " ".join(line)) for name, line in ALIASES.items())
        if begun.startswith("-"):
            yield ((name, "") for name in (*EVERYWHERE, "--json", "--version"))
        return
    rest[:1] = ALIASES.get(rest[0], (rest[0],))
    line = commands.get(rest[0])
    if line is None:
        return
    if line["program"] and "--" in rest:
        yield known.files(begun)
        if rest[-1] == "--":
            yield known.programs(begun)
        return
    while line["actions"] and (below := _action(rest, line)) is not None:
        line = below
    yield from _on(line, rest, begun, home)


def _action(rest: list[str], line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The line of the action that is named, with its name taken away from `rest`."""
    for at, word in enumerate(rest[1:], start=1):
        if word in line["actions"]:
            del rest[at]
            return line["actions"][word]  # type: ignore[no-any-return]
    return None


def _on(
    line: Mapping[str, Any], rest: Sequence[str], begun: str, home: Home
) -> Iterable[Iterable[Offer]]:
    options = {**line["options"], **EVERYWHERE}
    last = options.get(rest[-1])
    plain = list(_plain(rest[1:], options))
    run = plain[0] if plain else ""
    if last is not None and last["takes"]:
        yield _values(last, begun, run, home)
        return
    if begun.startswith("-"):
        yield ((name, said["help"]) for name, said in options.items() if name not in rest)
        if line["program"]:
            yield [("--", "what follows is the program")]
        return
    yield ((name, below["summary"]) for name, below in line["actions"].items())
    words = line["words"]
    if len(plain) < len(words) or (words and words[-1]["many"]):
        yield _values(words[min(len(plain), len(words) - 1)], begun, run, home)
    elif line["program"]:
        yield [("--", "what follows is the program")]


def _plain(words: Sequence[str], options: Mapping[str, Any]) -> Iterable[str]:
    """Those that are neither options nor their values."""
    takes = False
    for word in words:
        if not takes and not word.startswith("-"):
            yield word
        takes = not takes and word in options and options[word]["takes"]


def _values(said: Mapping[str, Any], begun: str, run: str, home: Home) -> Iterable[Offer]:
    match said["kind"]:
        case "run":
            return known.runs(home.store)
        case "job":
            return [*known.jobs(home.store, run), *known.groups(home.store, run)]
        case "group":
            return known.groups(home.store, run)
        case "fold":
            return known.folds(home.store, run)
        case "account":
            return known.accounts(home.ledger)
        case "plan":
            return known.files(begun, PLANS)
        case "file":
            return known.files(begun)
        case "folder":
            return known.files(begun, ())
    return ((choice, "") for choice in said["choices"])
