"""What is different between the ingredients of two keys, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Detail = Callable[[str], Any]
"""What stands under a digest; None where nobody knows any more."""

MOST = 3
"""Differences that are told; the others are counted."""


def differences(old: Record, new: Record, detail: Detail) -> list[str]:
    """From `old` to `new`, the most telling first; empty where they are the same."""
    return [*_differences(old, new, detail)]


def distance(old: Record, new: Record) -> int:
    """How many of their ingredients differ: for choosing the nearest of many."""
    return sum(1 for _ in _differences(old, new, lambda _: None))


def told(found: Sequence[str]) -> str:
    """ "size 128 → 224; resize.py changed; 2 more"."""
    rest = len(found) - MOST
    return "; ".join([*found[:MOST], *([f"{rest} more"] if rest > 0 else [])])


def _differences(old: Record, new: Record, detail: Detail) -> Iterator[str]:
    yield from values_that_differ(old.get("params", {}), new["params"])
    yield from _command(old, new)
    # A parameter that names another file has been told already.
    same = {
        name for name, value in new["params"].items() if old.get("params", {}).get(name) == value
    }
    yield from _paths(
        old.get("paths", {}), {n: p for n, p in new["paths"].items() if n in same}, detail
    )
    yield from _code(old, new, detail)
    yield from _libraries(old.get("libraries", {}), new["libraries"])
    for name, word in (("devices", "devices"), ("folds", "number of folds"), ("fold", "fold")):
        if old.get(name) != new[name]:
            yield f"{word} {_shown(old.get(name))} → {_shown(new[name])}"
    was, now = old.get("environment", {}), new["environment"]
    if was.get("python") != now.get("python"):
        own = "skint's own"
        yield f"python {was.get('python') or own} → {now.get('python') or own}"
    if was.get("env") != now.get("env"):
        yield "other environment variables are passed on"
    if was.get("account") != now.get("account"):
        yield f"account {_shown(was.get('account'))} → {_shown(now.get('account'))}"
    if old.get("version") != new["version"]:
        yield "this skint makes keys in another way"


def values_that_differ(
    old: Mapping[str, Any], new: Mapping[str, Any], way: str = ""
) -> Iterator[str]:
    """ "size 128 → 224", by name; `way` stands before the names."""
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from values_that_differ(was, now, f"{way}{name}.")
        else:
            yield f"{way}{name} {_shown(was)} → {_shown(now)}"


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _command(old: Record, new: Record) -> Iterator[str]:
    was, now = old.get("argv", []), new["argv"]
    if was == now:
        return
    gone = [word for word in was if word not in now]
    come = [word for word in now if word not in was]
    if len(was) == len(now) and len(gone) == len(come) == 1:
        yield f"{_shown(gone[0])} → {_shown(come[0])} in its command"
    else:
        yield "its command changed"


def _paths(old: Mapping[str, Any], new: Mapping[str, Any], detail: Detail) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now or was is None or now is None:
            continue  # the parameter itself has changed, and that was told
        shown = _path(now[1])
        if was[:2] != now[:2]:
            if was[1] == now[1]:
                yield {"absent": f"{shown} is not there"}.get(now[0], f"{shown} is another thing")
            else:
                yield f"{shown} lies somewhere else (it was {was[1]})"
        elif now[0] == "folder" and was[2] == now[2]:
            yield f"files changed under {shown}, behind their times"
        elif now[0] == "folder":
            yield _folder(detail(was[2]), detail(now[2]), shown)
        else:
            yield f"{shown} changed"


def _path(text: str) -> str:
    return text.removeprefix("./") or "the plan's folder"


def _folder(old: Any, new: Any, shown: str) -> str:
    if old is None or new is None:
        return f"files changed under {shown}"
    was = {name: (size, at) for name, size, at in old if not name.endswith("/")}
    now = {name: (size, at) for name, size, at in new if not name.endswith("/")}
    counts = (
        (len(now.keys() - was.keys()), "new"),
        (len(was.keys() - now.keys()), "gone"),
        (sum(was[name] != now[name] for name in was.keys() & now.keys()), "changed"),
    )
    parts = [f"{count:,} {word}" for count, word in counts if count]
    if not parts:
        return f"folders changed under {shown}"
    count, _, word = parts[0].partition(" ")
    parts[0] = f"{count} {'file' if count == '1' else 'files'} {word}"
    return f"{', '.join(parts)} under {shown}"


def _code(old: Record, new: Record, detail: Detail) -> Iterator[str]:
    was = {"": old.get("code"), **old.get("named_code", {})}
    now = {"": new["code"], **new["named_code"]}
    found: dict[str, None] = {}
    for name in sorted(now.keys() | was.keys()):
        if was.get(name) == now.get(name) or was.get(name) is None or now.get(name) is None:
            continue
        found.update(dict.fromkeys(_files(detail(was[name]), detail(now[name]))))
    names = [*found]
    if len(names) > 2:
        yield f"{names[0]} and {len(names) - 1} other files changed"
    elif names:
        yield f"{' and '.join(names)} changed"


def _files(old: Any, new: Any) -> Iterator[str]:
    """Names of the files that differ; those of ours come after the user's own."""
    if old is None or new is None:
        yield "its code"
        return
    was, now = {tuple(file) for file in old["files"]}, {tuple(file) for file in new["files"]}
    names = {name for name, _ in was ^ now}
    for name in sorted(names, key=lambda name: (name.partition(".")[0] == "skint", name)):
        yield _file(name)
    if not names and old["target"] != new["target"]:
        yield "the function"


def _file(module: str) -> str:
    """ "jobs/resize/job.py" of "jobs.resize.job"; "jobs/errors/x.css" of "jobs.errors x.css"."""
    module, _, data = module.partition(" ")
    if module in ("jobs", "skint"):
        return f"{module}/__init__.py"  # of a user's own it would be a module
    if data:
        return "/".join([*module.split(".")[:-1], data])
    return f"{module.replace('.', '/')}.py"


def _libraries(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if was is None or now is None:
            yield f"{name} {'counts now' if was is None else 'does not count any more'}"
        elif was and now:
            yield f"{name} {was} → {now}"
        else:
            yield f"{name} {now} is installed" if now else f"{name} {was} is not installed any more"
