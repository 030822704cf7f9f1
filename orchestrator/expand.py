"""From a plan to a graph: entries become jobs, names become ids, every mistake gets its line."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.describe import DescribeError, JobType, describe
from orchestrator.graph import Graph, Job, StopRule
from orchestrator.keys import static_key
from orchestrator.params import at, check_params
from orchestrator.plan import JobSpec, Plan, PlanError, first_of
from orchestrator.plan_yaml import Keys
from orchestrator.source import OURS, SourceTree
from orchestrator.wrong import nearest

DEFAULT_LIMIT_S = 3600.0
DEFAULT_GRACE_S = 30.0
MOST_JOBS = 1000

STOP_RULES: Mapping[str, frozenset[str]] = {"broken": frozenset()}
"""The rules a plan can name, and the options each one takes."""

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][\w-]*)\}")


@dataclass(frozen=True)
class _Variant:
    """One cell of an entry's matrix, in one fold."""

    suffix: str
    matrix: Mapping[str, Any]
    positions: Mapping[str, int]
    """Which value of each matrix key it is."""
    fold: int | None


@dataclass(frozen=True)
class _Entry:
    name: str
    spec: JobSpec
    kind: JobType | None
    """None for a `run:` job."""
    folds_entry: str | None = None
    folds: int | None = None

    @property
    def devices(self) -> int:
        if self.spec.devices is not None:
            return self.spec.devices
        return self.kind.devices if self.kind else 0

    @property
    def has_smoke(self) -> bool:
        offered = self.devices > 0 and self.kind is not None and self.kind.smoke
        return offered and self.spec.smoke is not False


def expand(plan: Plan) -> Graph:
    """The graph of `plan`; PlanError for what could not run."""
    return _Expansion(plan).graph()


class _Expansion:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._problems: list[PlanError] = []
        self._sources = SourceTree(plan.base)
        self._entries: dict[str, _Entry] = {}
        self._jobs: dict[str, tuple[Job, ...]] = {}

    def graph(self) -> Graph:
        plan = self._plan
        self._refuse_cycles()
        kinds: dict[tuple[str, str], JobType | PlanError] = {}
        order = list(_topological(plan.spec.jobs))
        for name in order:
            spec = plan.spec.jobs[name]
            self._entries[name] = self._with_folds(_Entry(name, spec, self._kind(name, kinds)))
        jobs: list[Job] = []
        for name in order:
            self._jobs[name] = tuple(self._jobs_of(self._entries[name]))
            jobs += self._smoke(self._entries[name])
            jobs += self._jobs[name]
            if len(jobs) > MOST_JOBS:
                what = f"the plan has more than {MOST_JOBS} jobs"
                raise plan.error(("jobs", name), what, got=f"{len(jobs)} so far")
        if self._problems:
            raise first_of(self._problems)
        return Graph(
            name=plan.name,
            account=plan.spec.account,
            base=str(plan.base),
            jobs=tuple(jobs),
            notify=plan.spec.notify.model_dump(mode="json", exclude_none=True),
            plan_text=plan.text,
        )

    # --- entries ----------------------------------------------------------------------------------

    def _complain(self, keys: Keys, what: str, **parts: Any) -> None:
        self._problems.append(self._plan.error(keys, what, **parts))

    def _refuse_cycles(self) -> None:
        jobs = self._plan.spec.jobs
        cycle = _find_cycle({name: spec.needs for name, spec in jobs.items()})
        if cycle:
            raise self._plan.error(
                ("jobs", cycle[0], "needs"),
                "these entries need each other in a circle",
                got=" → ".join(cycle),
                wanted="an order in which they can run",
            )

    def _kind(self, name: str, known: dict[tuple[str, str], JobType | PlanError]) -> JobType | None:
        spec = self._plan.spec.jobs[name]
        if spec.uses is None:
            return None
        place: Keys = ("jobs", name, "uses")
        asked = (spec.uses, spec.python)
        if asked not in known:
            try:
                known[asked] = describe(spec.uses, self._plan.base, spec.python)
            except DescribeError as error:
                what = error.what if error.where is None else f"{error.what} ({error.where})"
                known[asked] = self._plan.error(
                    place, what, got=error.got, wanted=error.wanted, next=error.next
                )
        kind = known[asked]
        if isinstance(kind, PlanError):
            self._problems.append(kind)
            return None
        if ":" in spec.uses:
            self._refuse_shadowed(place, spec.uses)
        return kind

    def _refuse_shadowed(self, place: Keys, uses: str) -> None:
        """A worker finds our packages first: the user's `jobs.py` beside them is never imported."""
        for _, path in self._sources.closure(uses):
            for top in self._sources.imported_tops(path):
                if top not in OURS or top == "skint" or not path.is_relative_to(self._plan.base):
                    continue
                own = [self._plan.base / f"{top}.py", self._plan.base / top / "__init__.py"]
                if any(file.is_file() for file in own):
                    self._complain(
                        place,
                        f"{path.name} imports {top}, which is skint's package, not the {top} here",
                        got=f"import {top}",
                        wanted=f"another name than {', '.join(OURS)}",
                        next=f"rename your {top} and import it by the new name",
                    )

    def _with_folds(self, entry: _Entry) -> _Entry:
        if entry.spec.per is None:
            return entry
        source = self._nearest_folds(entry.name)
        place: Keys = ("jobs", entry.name, "per")
        if source is None:
            self._complain(
                place,
                "nothing before this entry makes folds",
                got="per: fold",
                wanted="an entry with `uses: folds` among what it needs",
                next=f"folds: {{uses: folds, with: {{k: 5}}}}, and needs: [folds] in {entry.name}",
            )
            return entry
        if source.spec.matrix or source.kind is None or source.spec.per:
            if source.kind is not None:
                what = f"the folds of {source.name!r} are not one set: it stands there many times"
                self._complain(place, what, wanted=f"{source.name!r} without matrix and per")
            return entry
        params, complaints = check_params(source.kind, source.spec.with_, self._plan.base)
        k = None if complaints else params.get("k")
        return replace(entry, folds_entry=source.name, folds=k if isinstance(k, int) else None)

    def _nearest_folds(self, name: str) -> _Entry | None:
        jobs, seen = self._plan.spec.jobs, {name}
        level = list(jobs[name].needs)
        while level:
            for near in level:
                if jobs[near].uses == "folds":
                    return self._entries[near]
            seen |= set(level)
            level = [far for near in level for far in jobs[near].needs if far not in seen]
        return None

    # --- jobs -------------------------------------------------------------------------------------

    def _jobs_of(self, entry: _Entry) -> Iterator[Job]:
        spec, place = entry.spec, ("jobs", entry.name)
        accelerator = entry.devices > 0
        if accelerator and self._plan.spec.account is None:
            self._complain(
                place,
                "this entry needs an accelerator, and the plan names no account to charge",
                got=f"devices: {entry.devices}",
                wanted="account: NAME at the top of the plan",
                next="skint account list, or: skint account add NAME --help",
            )
        if spec.smoke and not (accelerator and entry.kind and entry.kind.smoke):
            what = "there is no smoke test to ask for"
            wanted = "`smoke` with an accelerator job that offers one"
            self._complain((*place, "smoke"), what, got="smoke: true", wanted=wanted)
        if accelerator and spec.stop is None:
            stop: tuple[StopRule, ...] = (StopRule("broken"),)
        else:
            stop = tuple(self._stop_rules(entry))
        cpus = spec.cpus if spec.cpus is not None else entry.kind.cpus if entry.kind else 1
        limit_s = DEFAULT_LIMIT_S if accelerator else None
        for variant in self._variants(entry):
            yield self._keyed(
                entry,
                Job(
                    id=entry.name + variant.suffix,
                    group=entry.name,
                    uses=spec.uses or "",
                    argv=self._argv(entry, variant),
                    params=self._params(entry, variant),
                    needs=self._needs(entry, variant),
                    fold=variant.fold,
                    folds=entry.folds,
                    matrix=variant.matrix,
                    devices=entry.devices,
                    cpus=cpus,
                    mem_mb=spec.mem or 0,
                    limit_s=limit_s if spec.limit is None else spec.limit / 1000,
                    limit_given=spec.limit is not None,
                    grace_s=DEFAULT_GRACE_S if spec.grace is None else spec.grace / 1000,
                    retries=spec.retries,
                    env=spec.env,
                    python=spec.python,
                    setup=spec.setup,
                    stop=stop,
                    metric=spec.metric,
                ),
            )

    def _smoke(self, entry: _Entry) -> tuple[Job, ...]:
        """The rehearsal of an entry's first job, before all of them; they then need it too."""
        if not entry.has_smoke or not self._jobs[entry.name]:
            return ()
        first = self._jobs[entry.name][0]
        name = f"{entry.name}.smoke"
        smoke = replace(
            first,
            id=name,
            group=name,
            devices=0,
            limit_s=None,
            limit_given=False,
            retries=0,
            stop=(),
            smoke=True,
        )
        self._jobs[entry.name] = tuple(
            replace(job, needs=(*job.needs, name)) for job in self._jobs[entry.name]
        )
        return (self._keyed(entry, smoke),)

    def _keyed(self, entry: _Entry, job: Job) -> Job:
        key = static_key(
            uses=job.uses,
            argv=job.argv,
            params=job.params,
            schema=entry.kind.schema if entry.kind else {},
            base=self._plan.base,
            fold=job.fold,
            folds=job.folds,
            devices=job.devices,
            smoke=job.smoke,
            environment={"python": job.python, "setup": job.setup, "env": job.env},
            sources=self._sources,
        )
        return replace(job, static_key=key)

    def _variants(self, entry: _Entry) -> Iterator[_Variant]:
        if entry.spec.per and entry.folds is None:
            return
        matrix = entry.spec.matrix
        words = {key: _words(values) for key, values in matrix.items()}
        folds = [None] if entry.folds is None else list(range(entry.folds))
        for cell in itertools.product(*(range(len(values)) for values in matrix.values())):
            positions = dict(zip(matrix, cell, strict=True))
            named = "+".join(f"{key}={words[key][number]}" for key, number in positions.items())
            values = {key: matrix[key][number] for key, number in positions.items()}
            for fold in folds:
                suffix = f".{named}" if named else ""
                suffix += "" if fold is None else f".fold{fold}"
                yield _Variant(suffix, values, positions, fold)

    def _needs(self, entry: _Entry, variant: _Variant) -> tuple[str, ...]:
        needs: list[str] = []
        for name in entry.spec.needs:
            other = self._entries[name]
            jobs = self._jobs.get(name, ())
            if entry.folds_entry is not None and other.folds_entry == entry.folds_entry:
                jobs = tuple(job for job in jobs if job.fold == variant.fold)
            needs += [job.id for job in jobs]
        return tuple(needs)

    def _params(self, entry: _Entry, variant: _Variant) -> dict[str, Any]:
        given = {**entry.spec.with_, **variant.matrix}
        if entry.kind is None:
            return given
        params, complaints = check_params(entry.kind, given, self._plan.base)
        keys: Keys = ("jobs", entry.name)
        first = variant.fold in (None, 0)
        for complaint in complaints if first else ():
            place = at(keys, variant.positions, complaint)
            error = self._plan.error(
                place, complaint.what, got=complaint.got, wanted=complaint.wanted
            )
            if str(error) not in map(str, self._problems):
                self._problems.append(error)
        return params

    def _argv(self, entry: _Entry, variant: _Variant) -> tuple[str, ...]:
        spec, place = entry.spec, ("jobs", entry.name, "run")
        if not spec.run:
            return ()
        values = {**spec.with_, **variant.matrix}
        if variant.fold is not None:
            values |= {"fold": variant.fold, "folds": entry.folds}
        try:
            words = shlex.split(spec.run)
        except ValueError as error:
            self._complain(place, f"cannot read this command: {error}".lower(), got=spec.run)
            return ()
        used: set[str] = set()
        first = not variant.fold and not any(variant.positions.values())

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name is None:
                return match[0][0]
            used.add(name)
            if name not in values and first:
                self._complain(
                    place, "this placeholder has no value", got=match[0],
                    wanted=nearest(name, values) + "; {{ and }} write braces",
                )  # fmt: skip
            return str(values.get(name, ""))

        # Split first: a value with a space in it stays one argument.
        argv = tuple(_PLACEHOLDER.sub(fill, word) for word in words)
        for key in variant.matrix.keys() - used if first else ():
            what = f"`run` does not use {{{key}}}: every job of this matrix would do the same"
            self._complain(("jobs", entry.name, "matrix", key), what, wanted=f"{{{key}}} in `run`")
        return argv

    def _stop_rules(self, entry: _Entry) -> Iterator[StopRule]:
        for number, item in enumerate(entry.spec.stop or ()):
            place: Keys = ("jobs", entry.name, "stop", number)
            rule = item if isinstance(item, dict) else {item: None}
            if len(rule) != 1 or not isinstance(next(iter(rule)), str):
                self._complain(place, "this is not a stop rule", got=item, wanted="a name")
                continue
            ((name, options),) = rule.items()
            if name not in STOP_RULES:
                known = nearest(name, STOP_RULES)
                self._complain(place, "there is no such stop rule", got=name, wanted=known)
            elif options is not None and not isinstance(options, dict):
                self._complain(place, "the options are no mapping", got=options, wanted="a mapping")
            else:
                for key in (options or {}).keys() - STOP_RULES[name]:
                    wanted = nearest(key, STOP_RULES[name])
                    self._complain((*place, name, key), f"unknown key {key!r}", wanted=wanted)
                yield StopRule(name, options or {})


def _topological(jobs: Mapping[str, JobSpec]) -> Iterator[str]:
    """Entries after what they need, otherwise as the plan has them."""
    done: set[str] = set()
    while len(done) < len(jobs):
        name = next(n for n, spec in jobs.items() if n not in done and done.issuperset(spec.needs))
        done.add(name)
        yield name


def _find_cycle(needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A cycle as `[a, b, a]`, beginning with what stands first in the plan, or nothing."""
    safe: set[str] = set()
    for start in needs:
        path: list[str] = [start]
        waiting = [iter(needs[start])]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                safe.add(path.pop())
                waiting.pop()
            elif name in path:
                cycle = path[path.index(name) :]
                first = min(cycle, key=list(needs).index)
                turn = cycle.index(first)
                return [*cycle[turn:], *cycle[:turn], first]
            elif name not in safe:
                path.append(name)
                waiting.append(iter(needs[name]))
    return []


def _words(values: list[Any]) -> list[str]:
    """A word for each value that may stand in the name of a job, and of a folder; all different."""
    words: list[str] = []
    for number, value in enumerate(values):
        word = re.sub(r"[^A-Za-z0-9._-]+", "-", str(value)).strip("-")[:40] or str(number)
        words.append(word if word not in words else f"{word}-{number}")
    return words
