"""What holds for all plans and screens that say nothing themselves: the account to charge, who is
told, cores of CPU jobs. `set` takes several pairs, which are checked together; values are read as
in a plan. Tokens stay in the environment. SKINT_CONFIG names another file."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import table
from orchestrator.home import Home
from orchestrator.settings import (
    KNOWN,
    NOTIFY,
    SettingsError,
    check,
    check_notify,
    read_flat,
    settings_path,
    write_flat,
)
from skint.errors import NOT_FOUND, OK

EXAMPLES = (
    "skint config set account demo",
    "skint config set notify.slack.channel C0123456789 notify.slack.level decisions",
    "skint config get account",
    "skint config list",
    "skint config list --json",
    "skint config unset notify.slack",
    "skint config unset account",
    "skint config path",
)


class NotSet(SettingsError):
    """There is such a setting, and it is not set."""

    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="get | set | unset | list | path"
    )
    got = actions.add_parser("get", help="print one")
    got.add_argument("key", metavar="KEY")
    add_json(got)
    put = actions.add_parser("set", help="set one or several")
    put.add_argument("pairs", metavar="KEY VALUE", nargs="+")
    removed = actions.add_parser("unset", help="as if it had never been set")
    removed.add_argument("keys", metavar="KEY", nargs="+")
    add_json(actions.add_parser("list", help="what is set, and what could be"))
    actions.add_parser("path", help="print the file's name")


def run(arguments: argparse.Namespace) -> int:
    path = settings_path(Home.find().path)
    if arguments.action == "path":
        print(path)
        return OK
    flat = read_flat(path)
    if arguments.action == "set":
        return _set(flat, arguments.pairs)
    if arguments.action == "unset":
        return _unset(flat, arguments.keys)
    if arguments.action == "get":
        return _get(flat, arguments.key, arguments.manner.json)
    return _list(flat, arguments.manner.json)


def _set(flat: dict[str, Any], words: list[str]) -> int:
    path = settings_path(Home.find().path)
    if len(words) % 2:
        raise SettingsError(
            "a setting has a name and a value",
            got=" ".join(words),
            next="skint config set KEY VALUE",
        )
    new: dict[str, Any] = {}
    for key, text in zip(words[::2], words[1::2], strict=True):
        value = _value(key, text)
        check(key, value, f"skint config set {key}")
        new[key] = value
    check_notify({**flat, **new}, "skint config set")
    if "account" in new:
        _check_account(new["account"])
    write_flat(path, {**flat, **new})
    for key, value in new.items():
        print(f"{key} = {_shown(value)}   {_effect(key)}")
    return OK


def _value(key: str, text: str) -> Any:
    """As a plan would read it; a name stays text, also if it is made of digits."""
    from orchestrator.plans.document import YamlError, read_value

    if key == "account":
        return text
    try:
        return read_value(text)
    except YamlError:  # a word with a colon in it, say
        return text


def _check_account(name: str) -> None:
    """Raises AccountNotFound: a misspelt name would stop every plan later."""
    from budget.ledger import Ledger

    with Ledger(Home.find().ledger, read_only=True) as ledger:
        ledger.account(name)


def _unset(flat: dict[str, Any], keys: list[str]) -> int:
    left = dict(flat)
    for key in keys:
        gone = [name for name in left if name == key or name.startswith(f"{key}.")]
        if not gone:
            raise _not_set(key)
        for name in gone:
            del left[name]
    check_notify(left, "skint config unset")
    write_flat(settings_path(Home.find().path), left)
    print(f"unset   {', '.join(keys)}")
    return OK


def _get(flat: dict[str, Any], key: str, json: bool) -> int:
    found = {
        name: value for name, value in flat.items() if name == key or name.startswith(f"{key}.")
    }
    if not found:
        raise _not_set(key)
    if json:
        _print_json(found)
    elif key in found:
        print(_shown(found[key]))
    else:
        for name, value in found.items():
            print(f"{name} = {_shown(value)}")
    return OK


def _not_set(key: str) -> SettingsError:
    if key not in KNOWN and key.partition(".")[0] not in (NOTIFY, "dashboard"):
        check(key, None, "skint config")
    return NotSet(f"{key} is not set", next=f"skint config set {key} VALUE")


def _list(flat: dict[str, Any], json: bool) -> int:
    if json:
        _print_json(flat)
        return OK
    names = [*KNOWN, *(name for name in flat if name not in KNOWN)]
    if not any(name.startswith(f"{NOTIFY}.") for name in flat):
        names.append(f"{NOTIFY}.KIND.KEY")
    rows = [(n, _shown(flat[n]) if n in flat else "–", _effect(n)) for n in names]
    print(table(("setting", "value", "effect"), rows))
    return OK


def _print_json(flat: dict[str, Any]) -> None:
    from orchestrator.shapes.config import Config

    print_answer(Config(str(settings_path(Home.find().path)), flat))


def _effect(name: str) -> str:
    return (
        KNOWN[name].effect
        if name in KNOWN
        else "told by plans, and by skint exec, that say nothing of it"
    )


def _shown(value: Any) -> str:
    """As it may be typed again."""
    if value is None:
        return "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
