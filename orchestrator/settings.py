"""What a person has set once for all plans and screens: `config.yaml` in `SKINT_HOME`.

Every setting has an effect, and is what holds where a plan or a command line says nothing. Secrets
have no place here: they stay in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skint.errors import USAGE, SkintError

if TYPE_CHECKING:
    from orchestrator.plans.plan import Plan

VERSION = 1
VARIABLE = "SKINT_CONFIG"
"""Names another file."""
FILE = "config.yaml"
HEADER = (
    "# Written by `skint config`: comments of yours are not kept. No secrets: docs/settings.md\n"
)


class SettingsError(SkintError):
    """A setting that does not exist, cannot have this value, or must not stand in a file."""

    exit_code = USAGE


@dataclass(frozen=True)
class Setting:
    wanted: str
    """What it may be, in words."""
    effect: str
    fits: Callable[[object], bool]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= 4_096


KNOWN: Mapping[str, Setting] = {
    "account": Setting(
        "the name of an account",
        "charged by plans, and by skint exec, that name no account",
        _is_name,
    ),
    "cpus": Setting(
        "a whole number of cores",
        "cores of this machine that CPU jobs share; from the next start of the scheduler",
        _is_count,
    ),
    "dashboard.read-only": Setting(
        "true or false", "skint top stops nothing", lambda value: type(value) is bool
    ),
}
"""By name; beside them `notify.KIND.KEY`, as under `notify` in a plan."""
NOTIFY = "notify"


@dataclass(frozen=True)
class Settings:
    account: str | None = None
    cpus: int | None = None
    read_only: bool = False
    notify: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As `notify` of a plan."""


def settings_path(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    named = environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else home / FILE


def read_settings(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Those of this person; all defaults where there is no file. Raises SettingsError."""
    flat = read_flat(settings_path(home, environ))
    notify: dict[str, dict[str, Any]] = {}
    for name, value in flat.items():
        _, kind, key = [*name.split(".", 2), "", ""][:3]
        if name.startswith(f"{NOTIFY}."):
            notify.setdefault(kind, {})
            if key:
                notify[kind][key] = value
    return Settings(
        flat.get("account"), flat.get("cpus"), flat.get("dashboard.read-only", False), notify
    )


def read_flat(path: Path) -> dict[str, Any]:
    """Values by dotted name, in the file's order; nothing where there is no file.

    Raises SettingsError, with the line, for what does not belong there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("the settings cannot be read", where=str(path), got=error) from error
    from orchestrator.plans.document import YamlError, read_yaml

    try:
        document = read_yaml(text)
    except YamlError as error:
        line = f":{error.place.line}" if error.place else ""
        raise SettingsError(
            error.what, where=f"{path}{line}", wanted=error.wanted, next=f"correct {path}"
        ) from error
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise SettingsError("these are no settings", where=str(path), wanted="account: NAME")
    version = data.pop("version", VERSION)
    if type(version) is not int or version > VERSION:
        raise SettingsError(
            "the settings were written by a newer skint",
            where=str(path),
            got=f"version {version}",
            wanted=f"version {VERSION}",
            next="pip install --upgrade skint",
        )
    flat = dict(_flattened(data))
    for name, value in flat.items():
        place = document.place(tuple(name.split(".")))
        check(name, value, f"{path}:{place.line}" if place else str(path))
    check_notify(flat, str(path))
    return flat


def _flattened(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        if name == NOTIFY and isinstance(value, dict):
            for kind, inside in value.items():
                if isinstance(inside, dict) and inside:
                    found += [(f"{NOTIFY}.{kind}.{key}", one) for key, one in inside.items()]
                else:
                    found.append((f"{NOTIFY}.{kind}", inside or None))
        elif isinstance(value, dict):
            found += [(f"{name}.{key}", one) for key, one in value.items()]
        else:
            found.append((name, value))
    return found


def write_flat(path: Path, flat: Mapping[str, Any]) -> None:
    """All settings, replacing the file. Raises SettingsError where it cannot be written."""
    import yaml

    from skint.attempt import write_atomic

    data: dict[str, Any] = {"version": VERSION}
    for name, value in flat.items():
        *way, last = name.split(".", 2)
        inside = data
        for step in way:
            inside = inside.setdefault(step, {})
        inside[last] = {} if value is None else value
    text = HEADER + yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
    except OSError as error:
        raise SettingsError(
            "the settings cannot be written", where=str(path), got=error.strerror or error
        ) from error


def check(name: str, value: object, where: str) -> None:
    """Raises SettingsError where there is no such setting, or it cannot be that."""
    refuse_secret(name, value, where)
    if name.partition(".")[0] == NOTIFY and name.count("."):
        return
    known = KNOWN.get(name)
    if known is None:
        names = [*KNOWN, f"{NOTIFY}.slack.channel"]
        from difflib import get_close_matches  # only for a mistake

        near = get_close_matches(name, names, n=1)
        raise SettingsError(
            "there is no such setting",
            where=where,
            got=name,
            wanted=", ".join((*KNOWN, f"{NOTIFY}.KIND.KEY")),
            next=f"did you mean {near[0]}?" if near else "skint config list",
        )
    if not known.fits(value):
        raise SettingsError(
            f"{name} cannot be that", where=where, got=repr(value), wanted=known.wanted
        )


def refuse_secret(name: str, value: object, where: str) -> None:
    """Raises SettingsError for what looks like a token or a password; it is not shown."""
    from orchestrator.words.redaction import Hidden

    text = f"{name}: {value}"
    if Hidden().redact(text) != text:
        raise SettingsError(
            "this looks like a secret, and secrets do not stand in files of skint",
            where=where,
            got=name,
            wanted="a variable in the environment of whoever starts the scheduler",
            next="export SLACK_BOT_TOKEN=…, as `skint slack setup` tells",
        )


def check_notify(flat: Mapping[str, Any], where: str) -> None:
    """Raises SettingsError where a notifier would refuse its settings."""
    notify: dict[str, dict[str, Any]] = {}
    for name, value in flat.items():
        head, _, rest = name.partition(".")
        if head == NOTIFY:
            kind, _, key = rest.partition(".")
            notify.setdefault(kind, {})
            if key:
                notify[kind][key] = value
    if not notify:
        return
    from notifiers import catalog

    for kind, settings in notify.items():
        try:
            catalog.check(kind, settings)
        except SkintError as error:
            raise SettingsError(
                error.what,
                where=f"{where}: {error.where or kind}",
                got=error.got,
                wanted=error.wanted,
                next=error.next or "set both at once: skint config set KEY VALUE KEY VALUE",
            ) from error


def with_settings(plan: Plan, settings: Settings) -> tuple[Plan, tuple[str, ...]]:
    """The plan with what it leaves open, and which keys those were."""
    spec = plan.spec
    update: dict[str, Any] = {}
    if spec.account is None and settings.account is not None:
        update["account"] = settings.account
    if not spec.notify and settings.notify:
        update["notify"] = {kind: dict(one) for kind, one in settings.notify.items()}
    if not update:
        return plan, ()
    return replace(plan, spec=spec.model_copy(update=update)), tuple(update)
