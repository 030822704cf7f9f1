"""pydantic's complaints in a person's words: which key, what is wrong, what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

MOST_NAMES = 24
"""More known keys than this are not listed."""


_PLAINER = {
    "a valid string": "text (put it in quotes)",
    "a valid dictionary": "a mapping",
    "a valid list": "a list",
    "a valid tuple": "a list",
    "a valid integer": "a whole number",
    "a valid boolean": "true or false",
    "a valid number": "a number",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
}
"""pydantic's beginnings of what it wants, and a person's."""

UNKNOWN_KEY = "unknown key"


class Wrong(ValueError):
    """Raised by a validator that knows what it wanted."""

    def __init__(self, what: str, wanted: str | None = None) -> None:
        super().__init__(what)
        self.wanted = wanted


@dataclass(frozen=True)
class Complaint:
    keys: tuple[str | int, ...]
    what: str
    got: str | None
    wanted: str | None


def complaints_of(error: ValidationError, model: type[BaseModel]) -> list[Complaint]:
    """One for each key; `model` is what was validated, for the names of the known keys."""
    found: dict[tuple[str | int, ...], Complaint] = {}
    for item in error.errors(include_url=False):
        complaint = _complaint(item, model)
        found.setdefault(complaint.keys, complaint)
    return list(found.values())


def nearest(name: str, known: Iterable[str]) -> str:
    """What could have been meant: the nearest known name first, then the others."""
    from difflib import get_close_matches  # only on the way to an error

    names = list(known)
    if not names:
        return "nothing: none is known here"
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    rest = sorted(other for other in names if other not in close)
    listed = ", ".join(rest[:MOST_NAMES]) + (", …" if len(rest) > MOST_NAMES else "")
    if close:
        return f"{close[0]}?" + (f" Or one of: {listed}" if listed else "")
    return f"one of: {listed}"


def shown(value: object) -> str:
    """A value on one short line, as YAML has it."""
    words = {None: "nothing", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _complaint(item: Any, model: type[BaseModel]) -> Complaint:
    keys = tuple(item["loc"])
    kind, message = item["type"], item["msg"]
    if kind == "extra_forbidden":
        name = str(keys[-1])
        wanted = nearest(name, _known_keys(model, keys[:-1]))
        return Complaint(keys, UNKNOWN_KEY, name, wanted)
    if kind == "missing":
        return Complaint(keys, "this key is missing", "nothing", f"{keys[-1]}: VALUE")
    raised = item.get("ctx", {}).get("error")
    if isinstance(raised, Exception):
        # A job's own validator has one sentence; what it wants stands after the semicolon.
        what, _, after = str(raised).partition("; ")
        said = getattr(raised, "wanted", None) or " ".join(after.split()) or None
        return Complaint(keys, _sentence(what), shown(item["input"]), said)
    wanted = message.removeprefix("Input should be ").split(", unable to parse")[0]
    wanted = wanted.split(" or instance of ")[0]
    for phrase, plain in _PLAINER.items():
        if wanted.startswith(phrase):
            wanted = plain + wanted.removeprefix(phrase)
    return Complaint(keys, "this value does not fit", shown(item["input"]), _sentence(wanted))


def _sentence(text: str) -> str:
    """The house style: one line, lower case, no full stop."""
    text = " ".join(text.split()).rstrip(".")
    word = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if word[1:].islower() else text


def _known_keys(model: type[BaseModel], keys: tuple[str | int, ...]) -> list[str]:
    kind: Any = model
    for key in keys:
        kind = _inside(kind, key)
    inner = _model_in(kind)
    if inner is None:
        return []
    return [info.alias or name for name, info in inner.model_fields.items()]


def _inside(kind: Any, key: str | int) -> Any:
    """The type of what stands under `key` in a value of type `kind`."""
    inner = _model_in(kind)
    if inner is not None:
        for name, info in inner.model_fields.items():
            if key in (name, info.alias):
                return info.annotation
    arguments = get_args(kind)
    return (
        arguments[-1]
        if arguments and arguments[-1] is not Ellipsis
        else next(iter(arguments), None)
    )


def _model_in(kind: Any) -> type[BaseModel] | None:
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
