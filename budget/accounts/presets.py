"""The presets: what the platforms grant, as data.

Figures are those of November 2026. What a provider does not publish is marked as `assumed` (an
amount) or has a `rate_source` of `measured` or `assumed`; the provider's own reading beats all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from budget.accounts.account import Account
from budget.accounts.definition import AccountError
from budget.accounts.limit import Limit, weekly
from budget.accounts.machine import Machine, Metering, Session
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from budget.windows import Calendar, FirstUse, Lots, PerSession, Rolling, Unbounded


def preset(name: str, called: str | None = None) -> Account:
    """The preset `name`, under the name `called` if given. Raises `AccountError`."""
    if name not in PRESETS:
        raise AccountError(
            "unknown preset", got=name, wanted=", ".join(PRESETS), next="skint account presets"
        )
    return replace(PRESETS[name], name=called or name)


_OURS = (
    Account("simulated", "simulated", "local", (weekly(30 * HOUR_MS),)),
    Account("local", "machine", "local", (weekly(40 * HOUR_MS, "mon"),)),
    # A reset would let a lab's week begin with a rush; the last seven days never do.
    Account(
        "lab-server", "machine", "local", (Limit(40 * HOUR_MS, Rolling(7 * DAY_MS), "rolling"),)
    ),
    # A Slurm allocation is a grant (GrpTRESMins, NoDecay): what is used is gone. Its size is the
    # site's. Sites that reset every month: --window calendar --every month.
    Account(
        "slurm",
        "provider",
        "slurm",
        (Limit(100 * HOUR_MS, Unbounded(), "grant", assumed=True),),
        overrun="finishes",
        observe="cli",
        best_effort=True,
    ),
)

_KAGGLE = (
    # Counted once however many devices the session has: said by users, not by the provider.
    Account(
        "kaggle-gpu",
        "provider",
        "kaggle",
        (weekly(30 * HOUR_MS),),
        unit="session",
        machines=(Machine("NvidiaTeslaT4", 1_000, 2),),
        session=Session(max_ms=12 * HOUR_MS, concurrent=2),
        metering=Metering(rate_source="measured"),
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
        metering=Metering(rate_source="measured"),
        overrun="finishes",
        observe="api",
    ),
)

_COLAB = (
    # Compute units are bought by the hundred and expire. The rates are unpublished: measured by
    # users in March 2026. After the last unit a session falls to the free tier.
    Account(
        "colab-paid",
        "provider",
        "colab",
        (Limit(0, Lots(90 * DAY_MS), "units"),),
        unit="credit",
        machines=(
            Machine("T4", 1_190, 1),
            Machine("L4", 1_710, 1),
            Machine("A100-40GB", 5_400, 1),
            Machine("A100-80GB", 7_520, 1),
        ),
        session=Session(max_ms=24 * HOUR_MS),
        metering=Metering(rate_source="measured"),
        overrun="finishes",
        observe="cli",
        best_effort=True,
    ),
    # The free tier's limit is unpublished and moves; a few hours a day is a guess.
    Account(
        "colab-free",
        "provider",
        "colab",
        (Limit(4 * HOUR_MS, Rolling(DAY_MS), "rolling", assumed=True),),
        unit="session",
        machines=(Machine("T4", 1_000, 1),),
        session=Session(max_ms=12 * HOUR_MS, concurrent=1, idle_ms=90 * MINUTE_MS),
        metering=Metering(rate_source="assumed"),
        best_effort=True,
    ),
)

_OTHERS = (
    # A promotional grant that does not accumulate: about 22 hours of T4 for 15 credits a month.
    Account(
        "lightning-free",
        "provider",
        "lightning",
        (Limit(15 * HOUR_MS, Calendar("month"), "monthly", assumed=True),),
        unit="credit",
        machines=(Machine("T4", 682, 1),),
        session=Session(max_ms=4 * HOUR_MS),
        metering=Metering(granularity_ms=SECOND_MS, rate_source="assumed"),
        observe="manual",
    ),
    Account(
        "studio-lab",
        "provider",
        "studio-lab",
        (
            Limit(4 * HOUR_MS, FirstUse(DAY_MS), "first-use"),
            Limit(4 * HOUR_MS, PerSession(), "per-session"),
        ),
        unit="session",
        machines=(Machine("T4", 1_000, 1),),
        session=Session(max_ms=4 * HOUR_MS, concurrent=1),
        best_effort=True,
    ),
    Account(
        "paperspace-free",
        "provider",
        "paperspace",
        (Limit(6 * HOUR_MS, PerSession(), "per-session"),),
        unit="session",
        session=Session(max_ms=6 * HOUR_MS, concurrent=1),
        best_effort=True,
    ),
    # Seconds of decorated calls. A call that declares more than is left is refused.
    *(
        Account(
            name,
            "provider",
            "zerogpu",
            (Limit(amount_s * SECOND_MS, FirstUse(DAY_MS), "first-use"),),
            unit="session",
            machines=(Machine("large", 1_000, 1), Machine("xlarge", 2_000, 1)),
            metering=Metering(starts="call_start", stops="call_end"),
            observe="manual",
            best_effort=True,
        )
        for name, amount_s in (("zerogpu-free", 210), ("zerogpu-pro", 1_500))
    ),
)

PRESETS: Mapping[str, Account] = MappingProxyType(
    {account.name: account for account in (*_OURS, *_KAGGLE, *_COLAB, *_OTHERS)}
)
"""By name."""
