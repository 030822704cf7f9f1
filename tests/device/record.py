"""The record of a check: a page of what was checked on which device, when, with what. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

PLACE = re.compile(r"(?<![\w.])(?:/[\w.~+-]+)+/")
"""Folders of somebody's machine."""
LONGEST = 400
"""Characters of what went wrong."""


@dataclass(frozen=True)
class Check:
    """One check and what came of it."""

    part: str
    """The file of the check, e.g. `precision`."""
    title: str
    outcome: str
    """`passed`, `failed` or `skipped`."""
    seconds: float
    figures: tuple[tuple[str, str], ...] = ()
    """(what, how much), in the order in which they were measured."""
    why: str = ""
    """Of one that failed or was skipped."""


def title_of(test: str) -> str:
    """The sentence that a test's name is: `test_it_learns[cuda-32]` -> `it learns: cuda-32`."""
    name, _, which = test.removeprefix("test_").partition("[")
    which = which.removesuffix("]")
    return name.replace("_", " ") + (f": {which}" if which else "")


def slug(device: str) -> str:
    """`NVIDIA L4` -> `nvidia-l4`."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def page(
    device: str, date: str, facts: Mapping[str, str], checks: Sequence[Check], *, real: bool
) -> str:
    """The record as Markdown; `facts` are about device, driver and packages."""
    lines = [f"# {device}, {date}", "", f"{count(checks)} Made by `make gpu-check`.", ""]
    if not real:
        lines += ["**This is a CPU**: it shows that the checks work, and nothing of a device.", ""]
    lines += _table(("what", "which"), facts.items())
    for part, group in groupby(checks, key=lambda check: check.part):
        lines += ["", f"## {part.capitalize()}", ""]
        for check in group:
            lines.append(f"- **{check.outcome}** {_cell(check.title)} ({check.seconds:.1f} s)")
            lines += [f"  - {_cell(name)}: {_cell(value)}" for name, value in check.figures]
            lines += [f"  - {_cell(check.why)}"] if check.why else []
    return "\n".join(lines) + "\n"


def count(checks: Sequence[Check]) -> str:
    """`7 checks passed, 1 failed, 2 skipped.`"""
    of = {name: sum(c.outcome == name for c in checks) for name in ("passed", "failed", "skipped")}
    return f"{of['passed']} checks passed, {of['failed']} failed, {of['skipped']} skipped."


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"| {heads[0]} | {heads[1]} |",
        "|---|---|",
        *(f"| {_cell(name)} | {_cell(value)} |" for name, value in rows),
    ]


def _cell(text: str) -> str:
    """In one line, without folders of the machine, and nothing in it that Markdown reads."""
    short = PLACE.sub("…/", " ".join(text.split()))[:LONGEST]
    return re.sub(r"([|\[\]<>*_`\\])", r"\\\1", short)
