"""Headings and tables of a generated page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def head(title: str, *words: str) -> list[str]:
    made = "<!-- Written by docs/reference.py from the code: `make reference`. -->"
    return [f"# {title}", "", made, "", *words, ""]


def rows(heads: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in body]
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(cells)} |" for cells in lines),
        "",
    ]
