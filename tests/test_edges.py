"""Every edge case in docs/ledger.md is held by a test that exists and names it, or says why not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ledger.md"
NUMBERS = range(1, 56)

NAMED = re.compile(r"\bedges? (\d+(?:(?:, | and |, and )\d+)*)", re.IGNORECASE)
"""As tests say it: "Edge 6: …", "Edges 1 and 2, in any zone"."""


def cells(page: str) -> Iterator[tuple[int, str]]:
    """(number, what holds it) of each row of the table."""
    table = page.partition("edge cases\n")[2]
    for row in re.findall(r"^\| (\d+) \|(.+)\|$", table, flags=re.MULTILINE):
        yield int(row[0]), row[1].split("|")[-1].strip()


HELD = dict(cells(PAGE.read_text(encoding="utf-8")))


@cache
def edges_of(path: str) -> dict[str, set[int]]:
    """Of each test in a file: the numbers that its text names."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        name: {
            int(number)
            for found in NAMED.findall("\n".join(lines[node.lineno - 1 : node.end_lineno]))
            for number in re.findall(r"\d+", found)
        }
        for name, node in each_test(ast.parse(text))
    }


def each_test(body: ast.Module | ast.ClassDef, of: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """The tests of a module or class by the names that pytest gives them."""
    for node in body.body:
        if isinstance(node, ast.ClassDef):
            yield from each_test(node, f"{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield f"{of}{node.name}", node


def test_every_number_has_its_row() -> None:
    assert list(HELD) == list(NUMBERS)
    assert len(list(cells(PAGE.read_text(encoding="utf-8")))) == len(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_holds_an_edge_case_exists_and_names_it(number: int) -> None:
    held = HELD[number]
    if held.startswith("does not apply: "):
        assert len(held) > len("does not apply: ") + 20
        return
    named = re.findall(r"`(tests/[^`:]+\.py)::([\w:]+)`", held)
    assert named, f"edge {number} names no test: {held}"
    for path, test in named:
        assert (ROOT / path).is_file(), path
        assert test in edges_of(path), f"{path} has no {test}"
        assert number in edges_of(path)[test], f"{test} does not name edge {number}"


def test_no_test_names_an_edge_case_that_there_is_not() -> None:
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    others = [path for path in files if path != "tests/test_edges.py"]
    found = {number for path in others for numbers in edges_of(path).values() for number in numbers}
    assert found <= set(NUMBERS)
