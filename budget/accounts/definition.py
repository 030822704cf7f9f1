"""What is wrong with the definition of an account, and the checks that say so."""

from __future__ import annotations

import re
from typing import Any

from budget.duration import LONGEST_MS
from skint.errors import USAGE, SkintError


class AccountError(SkintError):
    """The definition of an account is wrong."""

    exit_code = USAGE


def matches(pattern: str, value: object) -> bool:
    """True for text that `pattern` describes whole."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def check_whole(what: str, value: object, least: int = 0, most: int = LONGEST_MS) -> None:
    """Raise AccountError unless `value` is a whole number (no bool) from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise AccountError(
            f"{what} is wrong", got=repr(value), wanted=f"a whole number, {least} to {most}"
        )


def check_word(what: str, value: object, known: tuple[str, ...]) -> None:
    """Raise AccountError unless `value` is one of `known`."""
    if value not in known:
        raise AccountError(f"unknown {what}", got=value, wanted=" or ".join(known))


def fields_of(value: object, what: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object `value`, which must have just the keys `names`. Raises AccountError."""
    if not isinstance(value, dict) or set(value) != set(names):
        got = ", ".join(sorted(map(str, value))) if isinstance(value, dict) else repr(value)
        raise AccountError(f"the keys of this {what} are wrong", got=got, wanted=" ".join(names))
    return dict(value)
