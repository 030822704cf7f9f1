"""How much a place is told and when it wants quiet: settings that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from notifiers.base import NotifierSettingsError
from notifiers.quiet_hours import QuietHours, zone_of

Level = Literal["all", "decisions", "end"]
"""`decisions`: what asks for one, what went wrong and the end. `end`: the end alone. The head,
which is edited silently, is there at every level."""

KEYS = ("level", "quiet", "timezone")


@dataclass(frozen=True)
class Manner:
    """How one place wants to be told of a run."""

    level: Level = "all"
    quiet: QuietHours | None = None
    zone: str = "UTC"
    """On whose clock times are shown."""


def manner_of(kind: str, settings: Mapping[str, object]) -> Manner:
    """Those settings of a `notify:` entry. Raises `NotifierSettingsError`."""
    level = settings.get("level", "all")
    if level not in get_args(Level):
        raise NotifierSettingsError(
            "no such level of messages",
            where=f"notify.{kind}.level",
            got=level,
            wanted="one of " + ", ".join(get_args(Level)),
        )
    zone = settings.get("timezone", "UTC")
    if not isinstance(zone, str) or not _is_known(zone):
        raise NotifierSettingsError(
            "unknown time zone",
            where=f"notify.{kind}.timezone",
            got=zone,
            wanted="a name such as Europe/Berlin or UTC",
        )
    return Manner(cast("Level", level), _quiet(kind, settings, zone), zone)


def _quiet(kind: str, settings: Mapping[str, object], zone: str) -> QuietHours | None:
    span = settings.get("quiet")
    if span is None:
        return None
    if "timezone" not in settings:
        raise NotifierSettingsError(
            "quiet hours need a time zone",
            where=f"notify.{kind}.quiet",
            got=span,
            wanted="`timezone` beside it, e.g. Europe/Berlin",
        )
    try:
        return QuietHours.parse(span if isinstance(span, str) else "", zone)
    except ValueError as error:
        raise NotifierSettingsError(
            str(error),
            where=f"notify.{kind}.quiet",
            got=span,
            wanted='hours of the day in quotation marks, e.g. "22:00-07:00"',
        ) from error


def _is_known(zone: str) -> bool:
    try:
        zone_of(zone)
    except ValueError:
        return False
    return True
