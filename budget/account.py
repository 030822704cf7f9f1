"""Accounts: one allowance of one person at one provider, and the presets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from budget.duration import HOUR_MS, LONGEST_MS
from budget.window import WEEKDAYS, zone_named
from skint.errors import USAGE, SkintError

VERSION = 1
"""Version of the JSON form of an account."""

KINDS = ("simulated", "machine", "provider")
"""Pretended devices; devices of our own or of the lab; devices that somebody else meters."""

CHARGE_BY = ("device", "session")
"""`device`: time x devices. `session`: the time alone, however many devices the session has."""


class AccountError(SkintError):
    """The definition of an account is wrong."""

    exit_code = USAGE


@dataclass(frozen=True, slots=True)
class WeeklyLimit:
    """`amount_ms` from one weekly reset to the next; the reset is on the clock of `zone`.

    Raises `AccountError` for a negative or absurd amount, an unknown day, time or zone.
    """

    amount_ms: int
    resets_on: str = "sat"
    resets_at: str = "00:00"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if type(self.amount_ms) is not int or not 0 <= self.amount_ms <= LONGEST_MS:
            raise AccountError(
                "the amount of a weekly limit is wrong",
                got=self.amount_ms,
                wanted=f"whole milliseconds from 0 to {LONGEST_MS}",
            )
        if self.resets_on not in WEEKDAYS:
            raise AccountError(
                "unknown day of the reset", got=self.resets_on, wanted=" ".join(WEEKDAYS)
            )
        if not _matches(r"([01][0-9]|2[0-3]):[0-5][0-9]", self.resets_at):
            raise AccountError(
                "the time of the reset is wrong", got=self.resets_at, wanted="HH:MM, 00:00 to 23:59"
            )
        try:
            zone_named(self.zone)
        except (ValueError, TypeError) as error:
            raise AccountError(
                "unknown time zone of the reset",
                got=self.zone,
                wanted="a name of the IANA database such as UTC or Europe/Berlin",
                next="if the name is right, install the zones: pip install tzdata",
            ) from error


@dataclass(frozen=True, slots=True)
class Account:
    """One allowance: all of `limits` must admit what is to be reserved.

    `executor` names what starts work that is charged here. Raises `AccountError`.
    """

    name: str
    kind: str
    executor: str
    limits: tuple[WeeklyLimit, ...]
    charge_by: str = "device"

    def __post_init__(self) -> None:
        if not _matches(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.name):
            raise AccountError(
                "the name of the account is wrong",
                got=repr(self.name),
                wanted="letters, digits, '.', '_' and '-', at most 64",
            )
        for key, value, known in (
            ("kind", self.kind, KINDS),
            ("charge_by", self.charge_by, CHARGE_BY),
        ):
            if value not in known:
                raise AccountError(
                    f"unknown {key} of account {self.name}", got=value, wanted=" or ".join(known)
                )
        if not _matches(r"\S+", self.executor):
            raise AccountError(f"account {self.name} names no executor", got=repr(self.executor))
        if not self.limits:
            raise AccountError(f"account {self.name} has no limit", wanted="at least one limit")

    def rate(self, devices: int) -> int:
        """What one millisecond with `devices` devices costs, in milliseconds of this account."""
        return devices if self.charge_by == "device" else 1

    def cost_ms(self, devices: int, duration_ms: int) -> int:
        """What `duration_ms` with `devices` devices costs: the amount to reserve for it."""
        return self.rate(devices) * duration_ms

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back; keys in a fixed order."""
        return json.dumps(
            {
                "version": VERSION,
                "name": self.name,
                "kind": self.kind,
                "executor": self.executor,
                "charge_by": self.charge_by,
                "limits": [
                    {
                        "window": "weekly",
                        "amount_ms": limit.amount_ms,
                        "resets_on": limit.resets_on,
                        "resets_at": limit.resets_at,
                        "zone": limit.zone,
                    }
                    for limit in self.limits
                ],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Account:
        """The account in `text`. Raises `AccountError`, also for keys it does not know."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise AccountError("this account is not JSON", got=error) from error
        head = _fields(value, "account", "version name kind executor charge_by limits")
        if head.pop("version") != VERSION:
            raise AccountError(
                "this account was written by another version",
                got=value["version"],
                wanted=str(VERSION),
                next="update skint",
            )
        limits = head.pop("limits")
        if not isinstance(limits, list):
            raise AccountError("the limits of an account are a list", got=repr(limits))
        return cls(limits=tuple(_limit(limit) for limit in limits), **head)


def _matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _limit(value: object) -> WeeklyLimit:
    fields = _fields(value, "limit", "window amount_ms resets_on resets_at zone")
    window = fields.pop("window")
    if window != "weekly":
        raise AccountError(
            "unknown window of a limit", got=window, wanted="weekly", next="update skint"
        )
    return WeeklyLimit(**fields)


def _fields(value: object, what: str, names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names.split()):
        got = ", ".join(sorted(map(str, value))) if isinstance(value, dict) else repr(value)
        raise AccountError(f"the keys of this {what} are wrong", got=got, wanted=names)
    return dict(value)


def preset(name: str, *, called: str | None = None) -> Account:
    """The preset `name`, under the name `called` if given. Raises `AccountError`."""
    if name not in PRESETS:
        raise AccountError(
            "unknown preset", got=name, wanted=", ".join(PRESETS), next="skint account add --help"
        )
    return replace(PRESETS[name], name=called or name)


def _presets(*accounts: Account) -> Mapping[str, Account]:
    return MappingProxyType({account.name: account for account in accounts})


_THIRTY_HOURS = (WeeklyLimit(30 * HOUR_MS),)

PRESETS = _presets(
    Account("simulated", "simulated", "local", _THIRTY_HOURS),
    Account("local", "machine", "local", (WeeklyLimit(40 * HOUR_MS, resets_on="mon"),)),
    Account("lab-server", "machine", "local", (WeeklyLimit(40 * HOUR_MS, resets_on="mon"),)),
    Account("kaggle-gpu", "provider", "kaggle", _THIRTY_HOURS, "session"),
    Account("kaggle-tpu", "provider", "kaggle", (WeeklyLimit(20 * HOUR_MS),), "session"),
)
"""By name. Kaggle counts a session's time once, whether it has one device, two or eight."""
