"""Amounts and instants as people type them after a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from budget.duration import HOUR_MS, LONGEST_MS, parse_ms
from budget.instant import LATEST_MS
from orchestrator.cli.parsing.parser import Parser
from skint.errors import USAGE, SkintError

_CREDITS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,12}))?\s*(?:credits?)?", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class AmountError(SkintError):
    """What was typed is no amount, or no instant."""

    exit_code = USAGE


class SignedParser(Parser):
    """A parser that takes `-30m` for an amount and not for an option."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        # argparse takes whatever begins with a dash for an option, but nothing with a blank in it.
        words = None if args is None else [_spaced(word) for word in args]
        return super().parse_known_args(words, namespace)


def _spaced(word: str) -> str:
    return f" {word}" if re.match(r"-\.?[0-9]", word) else word


def parse_amount(text: str, unit: str, *, signed: bool = False, where: str | None = None) -> int:
    """Weighted milliseconds of `text` in an account counted in `unit`.

    "28h", "1h30m" for hours; "100", "12.5 credits" for credits. With `signed` a sign may stand in
    front: "+1.5h", "-30m". Raises `AmountError` or `DurationError`.
    """
    sign, rest = 1, text.strip()
    if signed and rest[:1] in ("+", "-"):
        sign, rest = (-1 if rest[0] == "-" else 1), rest[1:].lstrip()
    if unit != "credit":
        return sign * parse_ms(rest, where=where)
    return sign * _credits_ms(rest, text, where)


def _credits_ms(text: str, typed: str, where: str | None) -> int:
    def wrong(why: str) -> AmountError:
        return AmountError(
            f"this is not a number of credits: {why}",
            where=where,
            got=repr(typed),
            wanted="a number such as 100 or 12.5",
        )

    if text.startswith("-"):
        raise wrong("it is negative")
    found = _CREDITS.fullmatch(text)
    if found is None:
        raise wrong("this account counts credits" if text else "it is empty")
    decimals = found[2] or ""
    scale = int("1" + "0" * len(decimals))
    amount_ms, rest_ms = divmod(int(found[1] + decimals) * HOUR_MS, scale)
    if rest_ms:
        raise wrong(f"it is finer than 1/{HOUR_MS} of one")
    if amount_ms > LONGEST_MS:
        raise wrong(f"it is more than {LONGEST_MS // HOUR_MS}")
    return amount_ms


def parse_instant(text: str, *, where: str | None = None) -> int:
    """Milliseconds since 1970 UTC of "2026-11-28T00:00Z", "2026-11-28 01:00+01:00".

    Raises `AmountError`, also where the zone is missing: an hour to either side is money.
    """

    def wrong(why: str, next: str | None = None) -> AmountError:
        return AmountError(
            f"this is not an instant: {why}",
            where=where,
            got=repr(text),
            wanted="a date, a time and a zone such as 2026-11-28T00:00Z or …T01:00+01:00",
            next=next,
        )

    stripped = text.strip()
    try:
        instant = datetime.fromisoformat(stripped)
    except ValueError as error:
        raise wrong("it cannot be read") from error
    if instant.tzinfo is None:
        day = not re.search(r"[T ]", stripped)
        raise wrong("it has no zone", f"{stripped}{'T00:00' if day else ''}Z for UTC")
    at_ms = (instant - _EPOCH) // _MS
    if not 0 <= at_ms <= LATEST_MS:
        raise wrong("it is before 1970 or after 9892")
    return at_ms
