"""docs/reference is what docs/reference.py writes from the code, and the code keeps to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.making.pages import pages as all_pages
from orchestrator.reason_codes import REASONS, STOPPED, WAITING

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return all_pages()


def test_the_reference_is_what_the_code_says(pages: dict[str, str]) -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == pages.keys()
    stale = [name for name, text in pages.items() if (REFERENCE / name).read_text("utf-8") != text]
    assert stale == [], "make reference"


def test_no_error_is_without_a_page_and_none_without_words(pages: dict[str, str]) -> None:
    assert "| `does-not-fit` | 5 | The plan will probably use more" in pages["errors.md"]
    assert "| `wrong-line` | 2 |" in pages["errors.md"]
    assert "`run-not-found`" in pages["exit-codes.md"]


CODE = re.compile(r"[a-z]+(-[a-z]+)*")
GIVING = ("reason=", "StopRequest(", "Verdict(", "cannot_run(", ".wait(")
SOURCES = [
    path
    for room in ("skint", "orchestrator")
    for path in sorted((ROOT / room).rglob("*.py"))
    if path.name != "reason_codes.py"
    and not {"simulation", "dashboard", "completing"} & set(path.parts)
]


def reasons_in(tree: ast.Module) -> Iterator[str]:
    """Constants that are given as the reason of an event, of a stop or of a verdict."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        given = [word.value for word in node.keywords if word.arg == "reason"]
        if name in ("StopRequest", "Verdict", "cannot_run"):
            given += node.args[2:3]
        if name == "wait":
            given += node.args[1:2]
        for value in given:
            for one in ast.walk(value):
                if isinstance(one, ast.Constant) and CODE.fullmatch(str(one.value)):
                    yield str(one.value)


def test_every_reason_in_the_code_has_its_line_and_every_line_its_reason() -> None:
    known = {code for codes in REASONS.values() for code in codes}
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    used = {
        reason: path.name
        for path, text in texts.items()
        if any(word in text for word in GIVING)
        for reason in reasons_in(ast.parse(text))
    }
    assert used.keys() >= {"over-budget", "cancelled", "broken", "deadline", "lost"}
    assert {reason: where for reason, where in used.items() if reason not in known} == {}
    everything = "\n".join(texts.values())
    assert [code for code in known if f'"{code}"' not in everything] == []


def test_a_code_of_several_kinds_is_a_word_of_its_own_in_each() -> None:
    assert WAITING["paused"] != STOPPED["paused"]
    for codes in REASONS.values():
        assert all(said and said[0].islower() for said in codes.values())
