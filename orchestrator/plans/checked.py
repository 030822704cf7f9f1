"""What plans came to, kept so that a plan that was checked once is not checked again.

A kept graph stands under a digest of everything that checking reads but the files that the plan
names: its text, options and settings, skint's own code, and what is installed. Those files are
looked at anew each time, by making the keys of all jobs again: where one differs, the plan is
checked as if nothing were kept. Plans that ask other code (a job or a stop rule of the user's, an
interpreter) are never kept, and neither is an error. Any file of the folder may be removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.graph import GRAPH_VERSION, Graph
from orchestrator.plans.digest import digest_of
from orchestrator.plans.ingredients import Ingredients
from orchestrator.plans.keys import ingredients_of
from orchestrator.plans.source import OURS, SourceTree, installed_folder
from orchestrator.settings import Settings, with_settings

if TYPE_CHECKING:
    from orchestrator.plans.expand import Expanded

VERSION = 1
MOST = 32
"""Plans that are kept; the latest stay."""
STARTED_NS = time.time_ns() - 1_000_000_000
"""Of code that has changed since, nobody knows whether it is what this process has read."""


@dataclass(frozen=True)
class Checked:
    """A plan without a mistake."""

    graph: Graph
    ingredients: Mapping[str, Ingredients]
    """Of the jobs' static keys, by key."""
    settled: tuple[str, ...] = ()
    """Keys that the plan leaves open and the person's settings say."""


def checked(
    path: str,
    sets: Sequence[str],
    account: str | None,
    settings: Settings,
    *,
    remembered: Path | None = None,
    kept: Path | None = None,
) -> Checked:
    """The plan at `path`, from the folder `kept` if it is there; else loaded and expanded.

    Raises PlanError. `remembered` is as for `expanded`.
    """
    content = _content(path) if kept is not None else None
    if kept is None or content is None:
        return _anew(path, sets, account, settings, remembered)[0]
    asked = [path, list(sets), account, settings.account, settings.notify]
    code = _code()
    file = kept / f"{_digest(asked, path, content, code)}.json"
    found = _kept(file, Path(path).resolve().parent, remembered)
    if found is not None:
        return found
    made, expanded = _anew(path, sets, account, settings, remembered)
    if _is_settled(code) and code == _code() and _content(path) == content:
        _keep(file, made, expanded)
    return made


def _anew(
    path: str,
    sets: Sequence[str],
    account: str | None,
    settings: Settings,
    remembered: Path | None,
) -> tuple[Checked, Expanded]:
    # Not above: they bring pydantic and the jobs, which a kept plan does without.
    from orchestrator.plans.expand import expanded
    from orchestrator.plans.plan import load_plan

    plan, settled = with_settings(load_plan(path, sets, account), settings)
    made = expanded(plan, remembered)
    return Checked(made.graph, made.ingredients, settled), made


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return None  # loading it says what is wrong


Code = list[tuple[str, int, int | None]]


def _code() -> Code:
    """Name, time of change in ns and size of each file of ours, and of the folders in which what is
    installed is found: installing or removing a package changes its folder."""
    found: Code = []
    for package in OURS:
        folder = installed_folder(package)
        if folder is not None:
            found += sorted(_files(str(folder / package)))
    for place in sys.path:
        try:
            found.append((place, Path(place or ".").stat().st_mtime_ns, None))
        except OSError:
            found.append((place, -1, None))
    return found


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                stat = entry.stat()
                yield entry.path, stat.st_mtime_ns, stat.st_size


def _is_settled(code: Code) -> bool:
    return all(at_ns < STARTED_NS for _, at_ns, size in code if size is not None)


def _digest(asked: list[Any], path: str, content: bytes, code: Code) -> str:
    base = str(Path(path).resolve().parent)
    read = hashlib.sha256(content).hexdigest()
    return digest_of([VERSION, GRAPH_VERSION, sys.version, base, asked, read, code])


def _kept(file: Path, base: Path, remembered: Path | None) -> Checked | None:
    """None where nothing is kept, it is damaged, or a key would be another one today."""
    try:
        digest, _, text = file.read_text(encoding="utf-8").partition("\n")
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        data = json.loads(text)
    except (OSError, ValueError):
        return None
    graph = Graph.from_json(data["graph"])
    code = {
        uses: {**one, "files": [tuple(pair) for pair in one["files"]]}
        for uses, one in data["code"].items()
    }
    sources = SourceTree(base, remembered, code)
    ingredients: dict[str, Ingredients] = {}
    for job in graph.jobs:
        known = data["keys"][job.static_key]
        made_of = ingredients_of(
            uses=job.uses,
            argv=job.argv,
            params=job.params,
            paths=known["paths"],
            base=base,
            fold=job.fold,
            folds=job.folds,
            devices=job.devices,
            smoke=job.smoke,
            libraries=known["libraries"],
            environment=known["environment"],
            sources=sources,
        )
        if made_of.key != job.static_key:
            return None
        ingredients[made_of.key] = made_of
    sources.remember()
    return Checked(graph, ingredients, tuple(data["settled"]))


def _keep(file: Path, made: Checked, expanded: Expanded) -> None:
    """Write it, unless other code was asked. A disk that does not take it costs time only."""
    jobs = made.graph.jobs
    if any(":" in job.uses or job.python or any(r.is_own for r in job.stop) for job in jobs):
        return
    records = {key: one.record for key, one in made.ingredients.items()}
    code = {
        record["uses"]: made.ingredients[key].details[record["code"]]
        for key, record in records.items()
        if record["uses"]
    }
    keys = {
        key: {
            "paths": sorted(expanded.paths[key]),
            "libraries": record["libraries"],
            "environment": record["environment"],
        }
        for key, record in records.items()
    }
    graph = json.dumps(made.graph.to_json())
    if Graph.from_json(json.loads(graph)) != made.graph:
        return  # something in it is not what JSON can say
    rest = json.dumps({"keys": keys, "code": code, "settled": list(made.settled)})
    text = f'{{"graph": {graph}, {rest[1:]}'
    beside = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        beside.write_text(f"{digest}\n{text}", encoding="utf-8")
        beside.replace(file)
        _forget_the_oldest(file.parent)
    except OSError:
        beside.unlink(missing_ok=True)


def _forget_the_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-MOST]:
        file.unlink(missing_ok=True)
