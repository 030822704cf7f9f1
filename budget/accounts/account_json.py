"""An account as one line of JSON, as it stands in the ledger, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from budget.accounts.account import Account
from budget.accounts.definition import AccountError, fields_of
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Machine, Metering, Session

VERSION = 2
"""Version of the JSON form; the forms from 1 on are read."""

_PLAIN = (
    "name", "kind", "executor", "unit", "keep_back_ms", "overrun", "observe", "best_effort",
    "parent",
)  # fmt: skip
_METERING = ("granularity_ms", "minimum_ms", "starts", "stops", "rate_source")
_KEYS = ("version", *_PLAIN, "limits", "machines", "session", "metering")


def account_to_json(account: Account) -> str:
    """One line of JSON that `account_from_json` reads back; keys in a fixed order."""
    fields: dict[str, Any] = {"version": VERSION}
    fields |= {name: getattr(account, name) for name in _PLAIN}
    fields["limits"] = [limit.to_fields() for limit in account.limits]
    fields["machines"] = [asdict(machine) for machine in account.machines]
    fields["session"] = asdict(account.session)
    fields["metering"] = asdict(account.metering)
    return json.dumps(fields)


def account_from_json(text: str) -> Account:
    """The account in `text`. Raises `AccountError`, also for keys it does not know."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise AccountError("this account is not JSON", got=error) from error
    version = value.get("version") if isinstance(value, dict) else None
    if version == 1:
        return _version_1(value)
    if isinstance(value, dict) and version != VERSION:
        newer = type(version) is int and version > VERSION
        raise AccountError(
            f"this account was written by {'a newer version' if newer else 'no version of skint'}",
            got=version,
            wanted=f"{VERSION} or older",
            next="update skint" if newer else None,
        )
    head = fields_of(value, "account", _KEYS)
    del head["version"]
    return Account(
        limits=tuple(Limit.from_fields(limit) for limit in _list(head.pop("limits"), "limits")),
        machines=tuple(
            Machine(**fields_of(machine, "machine", ("name", "rate_milli", "devices")))
            for machine in _list(head.pop("machines"), "machines")
        ),
        session=Session(
            **fields_of(head.pop("session"), "session", ("max_ms", "concurrent", "idle_ms"))
        ),
        metering=Metering(**fields_of(head.pop("metering"), "metering", _METERING)),
        **head,
    )


def _version_1(value: object) -> Account:
    """The form that knew weekly limits only, without names."""
    head = fields_of(
        value, "account", ("version", "name", "kind", "executor", "charge_by", "limits")
    )
    limits = []
    for number, fields in enumerate(_list(head["limits"], "limits"), 1):
        names = ("window", "amount_ms", "resets_on", "resets_at", "zone")
        given = fields_of(fields, "limit", names)
        window = given.pop("window")
        if window != "weekly":
            raise AccountError("unknown window of a limit", got=window, wanted="weekly")
        limits.append(weekly(**given, name="weekly" if number == 1 else f"weekly-{number}"))
    return Account(head["name"], head["kind"], head["executor"], tuple(limits), head["charge_by"])


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise AccountError(f"the {what} of an account are a list", got=repr(value))
    return value
