"""The presets: what the platforms grant, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from budget.account import Account
from budget.definition import AccountError
from budget.duration import DAY_MS, HOUR_MS
from budget.limit import Limit, weekly
from budget.machine import Machine, Metering, Session
from budget.windows import Rolling


def preset(name: str, called: str | None = None) -> Account:
    """The preset `name`, under the name `called` if given. Raises `AccountError`."""
    if name not in PRESETS:
        raise AccountError(
            "unknown preset", got=name, wanted=", ".join(PRESETS), next="skint account presets"
        )
    return replace(PRESETS[name], name=called or name)


def _presets(*accounts: Account) -> Mapping[str, Account]:
    return MappingProxyType({account.name: account for account in accounts})


PRESETS = _presets(
    Account("simulated", "simulated", "local", (weekly(30 * HOUR_MS),)),
    Account("local", "machine", "local", (weekly(40 * HOUR_MS, "mon"),)),
    Account(
        "lab-server", "machine", "local", (Limit(40 * HOUR_MS, Rolling(7 * DAY_MS), "rolling"),)
    ),
    Account(
        "kaggle-gpu",
        "provider",
        "kaggle",
        (weekly(30 * HOUR_MS),),
        unit="session",
        machines=(Machine("NvidiaTeslaT4", 1_000, 2), Machine("NvidiaTeslaP100", 1_000, 1)),
        session=Session(max_ms=12 * HOUR_MS, concurrent=2),
        metering=Metering(),
        overrun="finishes",
        observe="api",
    ),
    Account(
        "kaggle-tpu",
        "provider",
        "kaggle",
        (weekly(20 * HOUR_MS),),
        unit="session",
        machines=(Machine("TpuV5E8", 1_000, 8),),
        session=Session(max_ms=9 * HOUR_MS, concurrent=2),
        overrun="finishes",
        observe="api",
    ),
)
"""By name. Kaggle counts a session's time once, whether it has one device, two or eight."""
