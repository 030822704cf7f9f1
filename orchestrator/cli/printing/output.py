"""What a command answers to programs: one JSON document with a name and a version."""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from skint.errors import SkintError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Shape(Protocol):
    """A frozen dataclass of plain values, in `orchestrator/shapes/COMMAND.py`.

    `SCHEMA` is its name and version, `status/1`; a field that is taken away or changes its meaning
    makes another version, a new one does not. Times are ISO 8601 in UTC; amounts are milliseconds
    of an account's unit and are called `…_ms`.
    """

    SCHEMA: ClassVar[str]


def add_json(parser: argparse._ActionsContainer) -> None:
    """`--json`, of a command that has a shape; or of a group of which one may be said."""
    parser.add_argument("--json", action="store_true", help="for programs: one JSON document")


def print_answer(answer: Shape) -> None:
    print(answer_text(answer))


def answer_text(answer: Shape) -> str:
    fields: DataclassInstance = answer  # type: ignore[assignment]
    return as_text({"schema": answer.SCHEMA, **asdict(fields)})


def print_done(did: str, text: str, run: str | None, *, as_json: bool) -> None:
    """What a command that does something says in the end: to a person, or to a program."""
    if not as_json:
        print(text)
        return
    from orchestrator.shapes.done import Done

    print_answer(Done(did, run, text))


def print_error(error: SkintError) -> None:
    """What `--json` answers where a command fails."""
    from orchestrator.shapes.error import Error, Said

    print_answer(
        Error(
            Said(
                code=code_of(type(error)),
                exit_code=error.exit_code,
                message=error.what,
                where=_text(error.where),
                got=_text(error.got),
                wanted=_text(error.wanted),
                hint=_text(error.next),
                docs="docs/reference/errors.md",
            )
        )
    )


def _text(part: object) -> str | None:
    """Of an error, where that was said; 0 may be what was got."""
    return None if part is None or part == "" else str(part)


def code_of(kind: type[SkintError]) -> str:
    """`run-not-found` of RunNotFound: what a program may compare."""
    return code_named(kind.__name__)


def code_named(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def as_text(value: Mapping[str, Any]) -> str:
    return json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False)


def finite(value: object) -> object:
    """Strict JSON has no NaN and no infinities: they become words, as in a job's own reports."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
