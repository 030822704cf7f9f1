"""Lines of a screen before they have colours: pieces of text, each with the role that it plays.

Roles are words, joined by blanks: `bold` and `dim`, and the colours that `painted` knows. What a
colour says is always said by a word or a mark as well. Pure, and without textual.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
"""Text, and its role; the empty role is plain."""
Line = tuple[Piece, ...]

RULE = "─"
MORE = "…"


def text_of(line: Iterable[Piece]) -> str:
    return "".join(text for text, _ in line)


def width_of(line: Iterable[Piece]) -> int:
    """Cells of the terminal, where some characters take two."""
    return sum(cell_len(text) for text, _ in line)


def cut(text: str, width: int) -> str:
    """At most `width` cells; what was cut off ends with …"""
    text = text.replace("\n", " ")  # a line break within a sentence would break the screen
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + MORE if width > 0 else ""


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells."""
    text = cut(text, width)
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank


def fitted(line: Iterable[Piece], width: int) -> Line:
    """The line, cut where it is wider than `width` cells."""
    pieces: list[Piece] = []
    left = width
    for text, role in line:
        cells = cell_len(text)
        if cells > left:
            if left > 0:
                pieces.append((set_cell_size(text, left - 1) + MORE, role))
            break
        pieces.append((text, role))
        left -= cells
    return tuple(pieces)


def justified(left: Iterable[Piece], right: Iterable[Piece], width: int) -> Line:
    """`left` at the beginning and `right` at the end; `left` is cut where both do not fit."""
    ending = fitted(right, width)
    start = fitted(left, max(0, width - width_of(ending) - 1))
    blank = width - width_of(start) - width_of(ending)
    return (*start, (" " * blank, ""), *ending)


def headed(title: str, width: int, right: str = "", *, active: bool = False) -> Line:
    """The line above a section: a rule with its title, and words at the right end."""
    head = f"{RULE} {title} "
    tail = f" {right} {RULE}" if right else ""
    fill = width - cell_len(head) - cell_len(tail)
    if fill < 1:
        return fitted(((f"{RULE} ", "rule"), (title, "bold"), (" ", "")), width)
    return (
        (f"{RULE} ", "rule"),
        (title, "bold accent" if active else "bold"),
        (" ", ""),
        (RULE * fill, "rule"),
        *(((f" {right} ", "dim"), (RULE, "rule")) if right else ()),
    )
