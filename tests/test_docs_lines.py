"""Every line that the documents have people type is one that skint takes."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from orchestrator.cli.commands import COMMANDS
from orchestrator.cli.commands import parser_of as made_parser_of
from orchestrator.cli.parsing import aliases, manner
from orchestrator.cli.parsing.parser import Parser
from skint.errors import SkintError
from tests.test_docs import ROOT, files

PAGES = [page for page in files(".md") if page.name != "CHANGELOG.md"]
parser_of = cache(made_parser_of)
_OPERATORS = ("|", "&&", "||", ";", ">", ">>", "<", "2>&1", "&")


def typed(page: Path) -> Iterator[tuple[int, str]]:
    """Lines behind `$` in the console blocks of a page, continued ones in one."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^( *)```console\n(.*?)^\1```", text, re.S | re.M):
        first = text[: block.start(2)].count("\n") + 1
        body = re.sub(r"\\\n *", lambda found: " " * len(found[0]), block[2])
        for number, line in enumerate(body.splitlines()):
            if line.strip().startswith("$ "):
                yield first + number, line.strip()[2:]


def inline(page: Path) -> Iterator[tuple[int, str]]:
    """`skint COMMAND …` in running text, as far as it is whole: what has `…` in it is not."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.S | re.M)
    for found in re.finditer(r"`(skint [^`\n]+)`", text):
        yield text[: found.start()].count("\n") + 1, found[1]


def commands_in(line: str) -> Iterator[list[str]]:
    """The words of each `skint` on a line; what a shell makes of the rest is not ours."""
    words = shlex.split(line.partition(" # ")[0], comments=False)
    begins = [
        at
        for at, word in enumerate(words)
        if word == "skint" and (at == 0 or words[at - 1] in _OPERATORS or "=" in words[at - 1])
    ]
    for at in begins:
        rest = words[at + 1 :]
        ends = [rest.index(one) for one in _OPERATORS if one in rest]
        program = rest.index("--") if "--" in rest else len(rest)
        end = min([one for one in ends if one < program], default=len(rest))
        yield rest[:end]


def wrong_with(words: list[str]) -> str:
    """Why skint does not take these words; empty where it does."""
    _, rest = manner.split(words)
    if not rest or rest[0] in ("--version", "--help", "help"):
        return ""
    try:
        name, line = aliases.meant(rest)
        if "--help" not in line:
            parser_of(name)[1].parse_args(line)
    except SkintError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_line_that_is_typed_in_the_documents_is_taken(page: Path) -> None:
    wrong = [
        f"{number}: {line}: {why}"
        for number, line in typed(page)
        for words in commands_in(line)
        if (why := wrong_with(words))
    ]
    assert wrong == []


def all_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from all_options(below)


OPTIONS = {name: {*all_options(parser_of(name)[1])} for name in COMMANDS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_is_mentioned_exists(page: Path) -> None:
    wrong = []
    for number, text in inline(page):
        words = text.split(" -- ")[0].replace("`", "").split()[1:]
        plain = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
        name = aliases.ALIASES.get(plain[0], (plain[0],))[0] if plain else ""
        if plain and words[0] == plain[0] and name not in COMMANDS:
            wrong.append(f"{number}: {text}")
        said = re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(words))
        known = OPTIONS.get(name, set()) | {*manner.OPTIONS, "--help", "--version"}
        wrong += [f"{number}: {text}: {option}" for option in said if name and option not in known]
    assert wrong == []


def test_the_documents_are_read() -> None:
    lines = [line for page in PAGES for _, line in typed(page)]
    assert sum(line.startswith("skint ") for line in lines) > 50
    assert [*commands_in("SKINT_DEVICES=simulated skint run a.yaml | tail")] == [["run", "a.yaml"]]
    assert [*commands_in("skint exec --cpu -- sh -c 'a | b'")] == [
        ["exec", "--cpu", "--", "sh", "-c", "a | b"]
    ]
    assert "no option" in wrong_with(["plan", "--nope", "a.yaml"])
    assert isinstance(parser_of("plan")[1], Parser)
