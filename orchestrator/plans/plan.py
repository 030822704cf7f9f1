"""The plan: what a YAML file must look like, and errors that name the line.

    load_plan(path, sets) → Plan → orchestrator.plans.expand.expand → Graph

Here stands what can be said of the file alone. What needs to know the jobs it names (their
parameters, their lanes) is said while the graph is built.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.commands import RUN_NAME, RUN_NAME_WANTED
from orchestrator.plans.complaints import complaints_of, nearest
from orchestrator.plans.document import Document, Keys, YamlError, read_value, read_yaml
from orchestrator.plans.spec import JobSpec, PlanSpec
from skint.errors import USAGE, SkintError

LARGEST_BYTES = 1_000_000
USUAL_FILE = "plan.yaml"
LONGEST_NAME = 56
"""Of the names of runs the numbers are a part."""
_JOB_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PlanError(SkintError):
    """The plan, or something it names, is wrong: `where` is file:line:key."""

    exit_code = USAGE


@dataclass(frozen=True)
class Plan:
    """A plan that is right as far as the file alone can tell."""

    spec: PlanSpec
    path: str
    """As the user wrote it, so that errors say it as they know it."""
    base: Path
    """The plan's folder, absolute."""
    text: str
    document: Document
    sets: Mapping[Keys, str] = field(default_factory=dict)
    """Options `--set` by the value they replaced."""

    @property
    def name(self) -> str:
        """What it calls itself; else as its file is called, and its folder where all files are
        called so."""
        file = Path(self.path)
        called = self.base.name if file.name == USUAL_FILE else file.stem
        return self.spec.name or _as_name(called) or _as_name(file.stem)

    def error(
        self,
        keys: Keys,
        what: str,
        *,
        got: object | None = None,
        wanted: str | None = None,
        next: str | None = None,
    ) -> PlanError:
        """An error at the place of `keys`."""
        return _error(
            self.path, self.document, self.sets, keys, what, got=got, wanted=wanted, next=next
        )


def load_plan(path: str | Path, sets: Sequence[str] = (), account: str | None = None) -> Plan:
    """Read and check a plan file. `sets` are `GROUP.KEY=VALUE`, values as in YAML.

    Raises PlanError for everything that is wrong with the file, with its line.
    """
    name = str(path)
    text = _read(name)
    try:
        document = read_yaml(text)
    except YamlError as error:
        where = _where(name, error.place.line if error.place else None, error.keys)
        line = text.splitlines()[error.place.line - 1 :][:1] if error.place else []
        raise PlanError(
            error.what,
            where=where,
            got="".join(line).strip()[:80] or "the end of the file",
            wanted=error.wanted,
            next=_again(name, error.place),
        ) from None
    if not isinstance(document.data, dict):
        raise PlanError(
            "this file has no plan in it",
            where=name,
            got="nothing" if document.data is None else repr(document.data)[:60],
            wanted="`name`, `account` and `jobs`, as in the README",
            next=_again(name, None),
        )
    data, overrides = _with_sets(name, document, sets)
    try:
        spec = PlanSpec.model_validate(data)
    except ValidationError as error:
        wrongs = complaints_of(error, PlanSpec)
        raise first_of(
            [
                _error(name, document, overrides, w.keys, w.what, got=w.got, wanted=w.wanted)
                for w in wrongs
            ]
        ) from None
    if account is not None:
        spec = spec.model_copy(update={"account": account})
    base = Path(name).resolve().parent
    plan = Plan(spec, name, base, text, document, overrides)
    problems = list(_problems(plan, data))
    if problems:
        raise first_of(problems)
    return plan


def first_of(errors: Iterable[PlanError]) -> PlanError:
    """The error that stands first in the file; it says how many more there are."""
    ordered = sorted(errors, key=lambda error: _line_of(error) or 0)
    first, others = ordered[0], ordered[1:]
    if not others:
        return first
    lines = sorted({line for other in others if (line := _line_of(other))})
    on = f" on line{'s' * (len(lines) > 1)} {', '.join(map(str, lines[:5]))}" if lines else ""
    plural = "s" if len(others) > 1 else ""
    return PlanError(
        f"{first.what} (and {len(others)} more error{plural}{on})",
        where=first.where,
        got=first.got,
        wanted=first.wanted,
        next=first.next,
    )


def _read(path: str) -> str:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        near = sorted(p.name for p in Path(path).parent.glob("*.y*ml"))[:5]
        raise PlanError(
            "there is no such file",
            where=path,
            wanted="a plan: a YAML file",
            next=f"in that folder: {', '.join(near)}" if near else "skint init FOLDER writes one",
        ) from None
    except IsADirectoryError:
        raise PlanError("this is a folder", where=path, wanted="a plan: a YAML file") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PlanError(f"cannot read this file: {why}", where=path) from None
    if len(content) > LARGEST_BYTES:
        raise PlanError("this file is too large for a plan", where=path, got=f"{len(content)} B")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PlanError("this is not UTF-8 text", where=f"{path}:{line}") from None


def _with_sets(
    path: str, document: Document, sets: Sequence[str]
) -> tuple[dict[str, Any], dict[Keys, str]]:
    data = dict(document.data)
    overrides: dict[Keys, str] = {}
    for option in sets:
        target, equals, text = option.partition("=")
        names = target.strip().split(".")
        where = f"--set {option}"
        if not equals or len(names) < 2 or not all(names):
            raise PlanError(
                "this sets nothing",
                where=where,
                got=option,
                wanted="ENTRY.PARAMETER=VALUE",
                next="--set train.lr=0.05",
            )
        try:
            value = read_value(text)
        except YamlError as error:
            raise PlanError(error.what, where=where, got=text, wanted=error.wanted) from None
        jobs = data.get("jobs")
        entry = jobs.get(names[0]) if isinstance(jobs, dict) else None
        if not isinstance(jobs, dict) or not isinstance(entry, dict):
            raise PlanError(
                f"the plan has no entry {names[0]!r}",
                where=where,
                got=names[0],
                wanted=nearest(names[0], jobs if isinstance(jobs, dict) else ()),
                next=f"skint plan {path}",
            )
        keys: Keys = ("jobs", names[0], "with", *names[1:])
        data = _replaced(data, keys, value)
        overrides[keys] = where
    return data, overrides


def _replaced(data: Any, keys: Keys, value: Any) -> Any:
    if not keys:
        return value
    inner = data if isinstance(data, dict) else {}
    return {**inner, keys[0]: _replaced(inner.get(keys[0]), keys[1:], value)}


def _problems(plan: Plan, data: Mapping[str, Any]) -> Iterator[PlanError]:
    """What the types cannot say."""
    spec = plan.spec
    for keys, number in _numbers(data, ()):
        if not math.isfinite(number):
            yield plan.error(keys, "this number is not finite", got=number, wanted="a finite one")
    if not RUN_NAME.fullmatch(plan.name):
        what = "a run cannot have this name"
        yield plan.error(("name",), what, got=plan.name, wanted=RUN_NAME_WANTED)
    if not spec.jobs:
        yield plan.error(("jobs",), "the plan has no jobs", got="{}", wanted="at least one entry")
    for kind, settings in spec.notify.items():
        from notifiers import catalog  # most plans name no place, and need not wait for it

        try:
            catalog.check(kind, settings)
        except SkintError as error:
            place = tuple((error.where or "").split("."))
            keys = place if place[:2] == ("notify", kind) else ("notify", kind)
            named = (*keys, error.got or "")
            yield plan.error(
                named if named in plan.document.places else keys,
                error.what,
                got=error.got,
                wanted=error.wanted,
                next=error.next,
            )
    for name, job in spec.jobs.items():
        yield from _job_problems(plan, name, job)


def _job_problems(plan: Plan, name: str, job: JobSpec) -> Iterator[PlanError]:
    keys: Keys = ("jobs", name)
    if not _JOB_NAME.fullmatch(name):
        wanted = "small letters, digits, - and _, starting with a letter, at most 40"
        yield plan.error(keys, "an entry cannot have this name", got=name, wanted=wanted)
    if job.uses is not None and job.run is not None:
        what = "an entry has `uses` or `run`, not both"
        yield plan.error((*keys, "run"), what, got="both", wanted="one of them")
    if not job.uses and not job.run:
        what = "this entry says nothing to do"
        fields = JobSpec.model_fields
        said = ", ".join(sorted(fields[name].alias or name for name in job.model_fields_set))
        said = said or "nothing"
        yield plan.error(keys, what, got=said, wanted="`uses: JOB` or `run: COMMAND`")
    for number, need in enumerate(job.needs):
        if need not in plan.spec.jobs:
            yield plan.error(
                (*keys, "needs", number), "it needs an entry that the plan does not have", got=need,
                wanted=nearest(need, [other for other in plan.spec.jobs if other != name]),
            )  # fmt: skip
        elif need in job.needs[:number]:
            yield plan.error((*keys, "needs", number), "this is needed twice", got=need)
    for number, variable in enumerate(job.env):
        if not _ENV_NAME.fullmatch(variable):
            yield plan.error(
                (*keys, "env", number),
                "this is not the name of an environment variable",
                got=variable.partition("=")[0] + "=…" if "=" in variable else variable,
                wanted="names only: values are taken from your environment and stored nowhere",
            )
    for key, values in job.matrix.items():
        at: Keys = (*keys, "matrix", key)
        if not values:
            yield plan.error(at, "this matrix key has no values", got="[]", wanted="a list")
        elif any(value in values[:number] for number, value in enumerate(values)):
            yield plan.error(at, "a value stands twice here", got=values, wanted="each value once")
        elif key in job.with_:
            what = f"{key!r} stands under `with` too"
            yield plan.error(at, what, got=job.with_[key], wanted="it in one of the two places")


def _numbers(data: Any, keys: Keys) -> Iterator[tuple[Keys, float]]:
    if isinstance(data, float):
        yield keys, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _numbers(value, (*keys, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _numbers(value, (*keys, number))


def _error(
    path: str,
    document: Document,
    sets: Mapping[Keys, str],
    keys: Keys,
    what: str,
    *,
    got: object | None = None,
    wanted: str | None = None,
    next: str | None = None,
) -> PlanError:
    option = None
    for length in range(len(keys), 2, -1):
        option = option or sets.get(keys[:length])
    place = document.place(keys)
    if option is None:
        where, then = _where(path, place.line if place else None, keys), _again(path, place)
    else:
        name = ".".join(map(str, keys[1:2] + keys[3:]))
        where, then = option, f"skint plan {path} --set {name}=VALUE"
    return PlanError(what, where=where, got=got, wanted=wanted, next=next or then)


def _where(path: str, line: int | None, keys: Keys) -> str:
    parts = [path, str(line) if line else "", ".".join(map(str, keys))]
    return ":".join(part for part in parts if part)


def _line_of(error: PlanError) -> int | None:
    match = re.match(r".*?:(\d+)(?::|$)", error.where or "")
    return int(match[1]) if match else None


def _again(path: str, place: Any) -> str:
    line = f"line {place.line}" if place else "the file"
    return f"correct {line}, then: skint plan {path}"


def _as_name(text: str) -> str:
    """As runs can be called; empty where nothing is left of it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:LONGEST_NAME]
