"""From a plan to a graph: entries become jobs, names become ids, every mistake gets its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.graph import Graph, Job
from orchestrator.plans.describe import DescribeError, JobType, describe
from orchestrator.plans.document import Keys
from orchestrator.plans.entry import Cell, Entry, Problems, argv_of, find_cycle
from orchestrator.plans.ingredients import Ingredients
from orchestrator.plans.keys import ingredients_of, minor_of
from orchestrator.plans.params import at, check_params
from orchestrator.plans.plan import Plan
from orchestrator.plans.source import SourceTree
from orchestrator.plans.spec import JobSpec
from orchestrator.plans.stopping import stop_rules_of

DEFAULT_LIMIT_S = 3600.0
"""Of an accelerator job whose entry has no `limit`. The limit is what gets reserved."""

DEFAULT_GRACE_S = 30.0
MOST_JOBS = 1000


@dataclass(frozen=True)
class Expanded:
    graph: Graph
    ingredients: Mapping[str, Ingredients]
    """What the jobs' static keys were made of, by key."""
    paths: Mapping[str, frozenset[str]]
    """Parameters that are paths as their jobs say, by static key."""


def expand(plan: Plan, remembered: Path | None = None) -> Graph:
    """As `expanded`, the graph alone."""
    return expanded(plan, remembered).graph


def expanded(plan: Plan, remembered: Path | None = None) -> Expanded:
    """The graph of `plan`. Raises PlanError, with the line, for everything that could not run.

    `remembered` is a file that keeps what was found in files of code for the next time.

    Imports the built-in jobs, and asks a process of its own about a user's, so that no user code
    runs in this one.
    """
    expansion = _Expansion(plan, remembered)
    return Expanded(expansion.graph(), expansion.ingredients, expansion.paths)


class _Expansion:
    def __init__(self, plan: Plan, remembered: Path | None) -> None:
        self._plan = plan
        self._problems = Problems(plan)
        self._sources = SourceTree(plan.base, remembered)
        self._kinds: dict[tuple[str, str], JobType | DescribeError] = {}
        self._entries: dict[str, Entry] = {}
        self._jobs: dict[str, tuple[Job, ...]] = {}
        self.ingredients: dict[str, Ingredients] = {}
        self.paths: dict[str, frozenset[str]] = {}

    def graph(self) -> Graph:
        plan = self._plan
        self._refuse_cycles()
        for name in _topological(plan.spec.jobs):
            spec = plan.spec.jobs[name]
            self._entries[name] = self._with_folds(Entry(name, spec, self._kind(name, spec)))
        jobs: list[Job] = []
        for entry in self._entries.values():
            expanded = tuple(self._jobs_of(entry))
            smoke = self._smoke(entry, expanded)
            if smoke is not None:
                expanded = tuple(replace(job, needs=(*job.needs, smoke.id)) for job in expanded)
                jobs.append(smoke)
            self._jobs[entry.name] = expanded
            jobs += expanded
        self._problems.raise_first()
        self._sources.remember()
        return Graph(
            name=plan.name,
            account=plan.spec.account,
            base=str(plan.base),
            jobs=tuple(jobs),
            notify=plan.spec.notify,
            explore=plan.spec.explore,
            plan_text="".join([plan.text, *(f"# {option}\n" for option in plan.sets.values())]),
        )

    # --- entries ----------------------------------------------------------------------------------

    def _refuse_cycles(self) -> None:
        cycle = find_cycle({name: spec.needs for name, spec in self._plan.spec.jobs.items()})
        if cycle:
            raise self._plan.error(
                ("jobs", cycle[0], "needs"),
                "these entries need each other in a circle",
                got=" → ".join(cycle),
                wanted="an order in which they can run",
            )

    def _kind(self, name: str, spec: JobSpec) -> JobType | None:
        if spec.uses is None:
            return None
        keys: Keys = ("jobs", name, "uses")
        asked = (spec.uses, spec.python)
        if asked not in self._kinds:
            try:
                self._kinds[asked] = describe(spec.uses, self._plan.base, spec.python)
            except DescribeError as error:
                self._kinds[asked] = error
        kind = self._kinds[asked]
        if isinstance(kind, DescribeError):
            # Where in the user's code, as seen from the plan.
            place = (kind.where or "").removeprefix(str(self._plan.base)).lstrip("/")
            what = f"{kind.what} ({place})" if place and place not in kind.what else kind.what
            wanted = kind.wanted or "a job that can be imported where the plan is read"
            got = kind.got or spec.uses
            self._problems.add(keys, what, got=got, wanted=wanted, next=kind.next)
            return None
        return kind

    def _with_folds(self, entry: Entry) -> Entry:
        if entry.spec.per is None:
            return entry
        source = self._nearest_folds(entry.name)
        keys: Keys = (*entry.keys, "per")
        if source is None:
            self._problems.add(
                keys,
                "nothing that this entry needs makes folds",
                got="per: fold",
                wanted="an entry with `uses: folds` among what it needs",
                next=f"folds: {{uses: folds, with: {{k: 5}}}}, and needs: [folds] in {entry.name}",
            )
            return entry
        if source.spec.matrix or source.spec.per:
            what = f"{source.name!r} makes more than one set of folds"
            wanted = f"{source.name!r} without `matrix` and `per`"
            self._problems.add(keys, what, got="per: fold", wanted=wanted)
            return entry
        count = None
        if source.kind is not None:
            from jobs.folds.job import fold_count

            params, complaints = check_params(source.kind, source.spec.with_, self._plan.base)
            count = None if complaints else fold_count(params)
        return replace(entry, folds_entry=source.name, folds=count)

    def _nearest_folds(self, name: str) -> Entry | None:
        jobs, seen = self._plan.spec.jobs, {name}
        level = list(jobs[name].needs)
        while level:
            for near in level:
                if jobs[near].uses == "folds":
                    return self._entries[near]
            seen |= set(level)
            farther = [far for near in level for far in jobs[near].needs if far not in seen]
            level = list(dict.fromkeys(farther))
        return None

    # --- jobs -------------------------------------------------------------------------------------

    def _jobs_of(self, entry: Entry) -> Iterator[Job]:
        spec = entry.spec
        self._check_lane(entry)
        stop = stop_rules_of(entry, self._problems)
        limit_s = DEFAULT_LIMIT_S if entry.devices else None
        cells = list(entry.cells())
        if sum(map(len, self._jobs.values())) + len(cells) > MOST_JOBS:
            what = f"the plan has more than {MOST_JOBS} jobs"
            raise self._plan.error(entry.keys, what, got=f"{len(cells)} here")
        for cell in cells:
            job = Job(
                id=entry.name + cell.suffix,
                group=entry.name,
                uses=spec.uses or "",
                argv=argv_of(entry, cell, self._problems),
                params=self._params(entry, cell),
                needs=self._needs(entry, cell),
                fold=cell.fold,
                folds=entry.folds,
                matrix=cell.matrix,
                devices=entry.devices,
                cpus=entry.cpus,
                mem_mb=spec.mem or 0,
                limit_s=limit_s if spec.limit is None else spec.limit / 1000,
                limit_given=spec.limit is not None,
                grace_s=DEFAULT_GRACE_S if spec.grace is None else spec.grace / 1000,
                retries=spec.retries,
                env=spec.env,
                python=spec.python,
                stop=stop,
                metric=spec.metric,
                priority=spec.priority,
                value=spec.value,
                resumes=entry.resumes,
                together=spec.together,
                standby=entry.devices > 0 and entry.kind is not None and entry.kind.standby,
                at_edge=entry.at_edge,
                when_short=spec.when_short,
            )
            yield self._keyed(entry, job)

    def _check_lane(self, entry: Entry) -> None:
        if entry.devices and self._plan.spec.account is None:
            self._problems.add(
                entry.keys,
                "this entry needs an accelerator, and the plan names no account to charge",
                got=f"devices: {entry.devices}",
                wanted="account: NAME, at the top of the plan",
                next="skint account list, or: skint account add --help",
            )
        self._check_edge(entry)
        repeated = entry.spec.per or entry.spec.matrix
        if entry.spec.together > 1 and not (entry.devices and repeated):
            self._problems.add(
                (*entry.keys, "together"),
                "there are no jobs that could share a session of several devices",
                got=f"together: {entry.spec.together}",
                wanted="an entry with `devices: 1` that is repeated: `per: fold`, or a `matrix`",
            )
        if entry.spec.smoke and not entry.offers_smoke:
            self._problems.add(
                (*entry.keys, "smoke"),
                "there is no smoke test to ask for",
                got="smoke: true",
                wanted="an accelerator job that offers one: @skint.job(devices=1, smoke=True)",
            )

    def _check_edge(self, entry: Entry) -> None:
        known = entry.kind is not None or entry.spec.uses is None
        if known and entry.at_edge != "hard-stop" and not entry.resumes:
            self._problems.add(
                (*entry.keys, "at-edge"),
                "a job that starts from the beginning each time cannot go on after an edge",
                got=f"at-edge: {entry.at_edge}",
                wanted="at-edge: hard-stop, or a job that resumes",
                next="@skint.job(..., resume=True), or `resume: true` beside a `run`"
                " that goes on from $SKINT_PREVIOUS",
            )
        if entry.spec.resume is not None and entry.kind is not None:
            self._problems.add(
                (*entry.keys, "resume"),
                "whether it resumes is said by the job itself",
                got=f"resume: {str(entry.spec.resume).lower()}",
                wanted="`resume` beside `run` only",
                next="@skint.job(..., resume=True)",
            )

    def _smoke(self, entry: Entry, jobs: tuple[Job, ...]) -> Job | None:
        """The rehearsal, on a CPU, of an accelerator entry's first job."""
        if not jobs or not entry.offers_smoke or entry.spec.smoke is False:
            return None
        name = f"{entry.name}.smoke"
        job = replace(jobs[0], id=name, group=name, devices=0, smoke=True, retries=0, stop=())
        job = replace(job, limit_s=None, limit_given=False, standby=False, together=1)
        return self._keyed(entry, job)

    def _keyed(self, entry: Entry, job: Job) -> Job:
        if job.uses and entry.kind is None:
            return job  # there is no such job: the plan is refused in the end
        libraries = entry.kind.libraries if entry.kind else {}
        if entry.devices:  # what cost hours is not thrown away for a patch release
            libraries = {name: minor_of(version) for name, version in libraries.items()}
        environment: dict[str, Any] = {"python": job.python, "env": list(job.env)}
        if entry.kind and entry.kind.measures:
            environment["account"] = self._plan.spec.account
        paths = frozenset(entry.kind.paths if entry.kind else ())
        made_of = ingredients_of(
            uses=job.uses,
            argv=job.argv,
            params=job.params,
            paths=paths,
            base=self._plan.base,
            fold=job.fold,
            folds=job.folds,
            devices=job.devices,
            smoke=job.smoke,
            libraries=libraries,
            environment=environment,
            sources=self._sources,
        )
        self.ingredients[made_of.key] = made_of
        # Jobs that share a key have seen the same; what one of them declares holds for all.
        self.paths[made_of.key] = paths | self.paths.get(made_of.key, frozenset())
        return replace(job, static_key=made_of.key)

    def _needs(self, entry: Entry, cell: Cell) -> tuple[str, ...]:
        needs: list[str] = []
        for name in entry.spec.needs:
            same_folds = entry.folds_entry and self._entries[name].folds_entry == entry.folds_entry
            needs += [j.id for j in self._jobs[name] if not same_folds or j.fold == cell.fold]
        return tuple(needs)

    def _params(self, entry: Entry, cell: Cell) -> dict[str, Any]:
        given = {**entry.spec.with_, **cell.matrix}
        if entry.kind is None:
            return given
        params, complaints = check_params(entry.kind, given, self._plan.base)
        for one in complaints:
            place = at(entry.keys, cell.positions, one)
            self._problems.add(place, one.what, got=one.got, wanted=one.wanted)
        return params


def _topological(jobs: Mapping[str, JobSpec]) -> Iterator[str]:
    """Entries after what they need, otherwise as the plan has them."""
    done: set[str] = set()
    while len(done) < len(jobs):
        name = next(n for n, spec in jobs.items() if n not in done and done.issuperset(spec.needs))
        done.add(name)
        yield name
