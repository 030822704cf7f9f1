"""Lines that attempts wrote, made safe.

Any program may write there, and a bad line must not be able to stop the scheduler, neither now nor
when it reads its events again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

from orchestrator.scheduler.inputs import Line

_log = logging.getLogger(__name__)


def parse_line(text: bytes, attempt: str) -> Line:
    """The line, if it is one that `attempt` may write. ValueError says what is wrong with it.

    Kinds that are not known are let through; they mean nothing.
    """
    plain = text.isascii() and b"\0" not in text  # nearly all lines
    encoding = "ascii" if plain else json.detect_encoding(text)
    try:
        line = text.decode(encoding, "surrogatepass").strip(_BLANK)
        data, end = _DECODER.raw_decode(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if end < len(line) or not isinstance(data, dict):
        raise ValueError("it is no object")
    if data.get("attempt") != attempt:
        raise ValueError(f"it is in the file of {attempt}")
    fence, at_ms, kind = data.get("fence"), data.get("at"), data.get("kind")
    if type(fence) is not int or type(at_ms) is not int or not isinstance(kind, str):
        raise ValueError("it lacks fence, at or kind")
    for key, fits in _FIELDS.get(kind, {}).items():
        if not fits(data.get(key)):
            raise ValueError(f"{key} of {kind} cannot be {data.get(key)!r}"[:200])
    # Plain ASCII without an escape in it can be printed as it stands.
    printable = plain and b"\\u" not in text
    return Line(attempt, fence, at_ms, kind, data if printable else _printable(data))


def parse_lines(raw: Iterable[bytes], attempt: str) -> list[Line]:
    """Those that are events of `attempt`; the others are logged."""
    found = []
    for text in raw:
        try:
            found.append(parse_line(text, attempt))
        except ValueError as error:
            _log.warning("a line is no event: %s: %r", error, text[:200])
    return found


def _printable(value: Any) -> Any:
    """A file name may hold bytes that are no UTF-8: they are spelt out, or nobody could store,
    print or send the text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= LARGEST


def _are_scalars(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    values = value.values()
    # What JSON reads of a number that is too large for a float is no number.
    return {*map(type, values)} <= _SCALARS and inf not in values and -inf not in values


_BLANK = " \t\r\n"
"""What JSON lets stand around a value."""

_SCALARS = {str, int, float, bool, type(None)}

LARGEST = 2.0**53
"""What a count can be."""

_FIELDS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "progress": {"done": _is_number, "total": _is_number},
    "report": {"values": _are_scalars},
    "note": {"text": lambda value: isinstance(value, str)},
    "stage": {"name": lambda value: isinstance(value, str)},
    "checkpoint": {
        "path": lambda value: isinstance(value, str),
        "epoch": lambda value: type(value) is int and abs(value) <= LARGEST,
        "step": lambda value: type(value) is int and abs(value) <= LARGEST,
    },
    "error": {"what": lambda value: isinstance(value, str)},
}


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


# Made once: what `json.loads` makes of its options for each line costs more than reading the line.
_DECODER = json.JSONDecoder(parse_constant=_no_number)
