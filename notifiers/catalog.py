"""The notifiers there are, by the names that a plan uses."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol, cast

from notifiers.base import Notifier, NotifierSettingsError

BUILT_IN: Mapping[str, str] = {
    "console": "notifiers.console:Console",
    "memory": "notifiers.memory:Memory",
    "slack": "notifiers.slack.notifier:Slack",
    "webhook": "notifiers.webhook:Webhook",
    "apprise": "notifiers.apprise:Apprise",
}
"""Name in `notify:` -> `module:Class`; a module is imported when a plan names it."""


class NotifierClass(Protocol):
    """What a notifier's class offers besides `Notifier`."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises `NotifierSettingsError` for settings that cannot work; needs no credentials."""

    def place(self, settings: Mapping[str, object]) -> str:
        """The `name` that a notifier of these settings has; needs no credentials."""

    def configure(self, settings: Mapping[str, object], environ: Mapping[str, str]) -> Notifier:
        """Builds one; raises `NotifierSettingsError`, also for missing credentials (exit 4)."""


def find(kind: str) -> NotifierClass:
    """The class under this name; raises `NotifierSettingsError` with the nearest name."""
    try:
        module, _, name = BUILT_IN[kind].partition(":")
    except KeyError:
        near = get_close_matches(kind, BUILT_IN, n=1)
        raise NotifierSettingsError(
            "unknown notifier",
            where="notify",
            got=kind,
            wanted="one of " + ", ".join(BUILT_IN),
            next=f"did you mean `{near[0]}`?" if near else None,
        ) from None
    return cast("NotifierClass", getattr(import_module(module), name))


def check(kind: str, settings: Mapping[str, object]) -> None:
    """Refuse a wrong `notify:` entry of a plan early, without credentials or network."""
    find(kind).check(settings)


def place(kind: str, settings: Mapping[str, object]) -> str:
    """The name that the outbox files notices of this `notify:` entry under."""
    return find(kind).place(settings)


def load(kind: str, settings: Mapping[str, object], environ: Mapping[str, str]) -> Notifier:
    """The notifier that a `notify:` entry asks for; `environ` holds the credentials."""
    return find(kind).configure(settings, environ)


def refuse_unknown(kind: str, settings: Mapping[str, object], known: tuple[str, ...]) -> None:
    """Raise for a setting that this kind of notifier does not have."""
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise NotifierSettingsError(
                "unknown setting",
                where=f"notify.{kind}",
                got=key,
                wanted="one of " + ", ".join(known) if known else "no settings",
                next=f"did you mean `{near[0]}`?" if near else None,
            )
