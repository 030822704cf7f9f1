"""The columns of the jobs table for a width, and the rule above them that names them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.dashboard.ink import RULE, Line, Piece, fitted, text_of, width_of


@dataclass(frozen=True)
class Widths:
    """Cells of each column; 0 leaves a column out. A blank stands between two."""

    job: int
    state: int
    epoch: int
    to_go: int
    hours: int
    use: int
    score: int
    curve: int

    @classmethod
    def fitting(cls, width: int) -> Widths:
        """Columns for a table `width` cells wide: all but the use from 76 cells on."""
        fixed = {"state": 11, "epoch": 14, "to_go": 10, "hours": 5, "use": 4, "score": 16}
        if width < 110:
            fixed |= {"score": 14, "use": 0}
        if width < 96:
            fixed |= {"epoch": 10, "score": 5}
        spare = width - 1 - sum(fixed.values()) - 7 - bool(fixed["use"])  # 1: the scroll bar
        job = max(17, min(spare - 8, 36))
        return cls(job=job, curve=max(0, min(spare - job, 40)), **fixed)

    @property
    def wide(self) -> bool:
        return self.score > 5

    @property
    def rest(self) -> int:
        """All that stands behind the state."""
        shown = [self.epoch, self.to_go, self.hours, self.use, self.score, self.curve]
        return sum(shown) + sum(cells > 0 for cells in shown) - 1


def head_of(widths: Widths, title: str, width: int) -> Line:
    """The rule above the table, with the names of the columns in it."""
    shown = [
        ("state", widths.state, False),
        ("epoch", widths.epoch, False),
        ("to go", widths.to_go, True),
        ("hours", widths.hours, True),
        ("use", widths.use, True),
        ("score", widths.score, False),
        ("curve", widths.curve, False),
    ]
    head: list[Piece] = [(f"{RULE} ", "rule"), (title, "bold accent")]
    head += [(" ", ""), (RULE * (widths.job + 2 - width_of(head) - 1), "rule")]
    for name, cells, right in shown:  # each begins with the blank before its column
        if cells < len(name):
            continue
        spare = cells - len(name)
        if right:
            first = " " if text_of(head)[-1] != RULE or spare < 2 else RULE
            fill = f"{first}{RULE * (spare - 1)} " if spare > 1 else " " * (spare + 1)
            head += [(fill, "rule"), (name, "dim")]
        else:
            fill = f" {RULE * (spare - 1)}" if spare > 1 else " " * spare
            head += [(f" {name}", "dim"), (fill, "rule")]
    head += [] if text_of(head)[-1] == RULE else [(" ", "")]
    head.append((RULE * max(0, width - width_of(head)), "rule"))
    return fitted(head, width)
