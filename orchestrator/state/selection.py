"""Those records of a run, or runs of a state, that something holds of: most are over most of the
time, and what is not is asked for again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from orchestrator.state.records import MANY, Part, Records, with_entries, with_entry

if TYPE_CHECKING:
    from orchestrator.state.state import RunState, State


class Record(Protocol):
    """Of a job, an attempt or an allocation; or a run."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Record)


class Selection(Generic[R]):
    """A property of a run or a state: the records of one of its mappings that are of a `sort`, in
    their order.

    They are looked for once, and then handed on from one state of it to the next. The sorts of a
    record are bits of a number that its `sorts_of` says by field.
    """

    def __init__(
        self, field: str, sort: int, *, wide: bool = False, by_status: bool = False
    ) -> None:
        """A `wide` one holds of a job by what has become of others, one `by_status` by nothing but
        how far it has come itself."""
        self.field = field
        self.sort = sort
        self.wide = wide
        self.by_status = by_status
        self.name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name
        owner.selections.setdefault(self.field, []).append(self)
        if self.field == "jobs":
            (owner.by_status if self.by_status else owner.by_more).append(self)

    @overload
    def __get__(self, run: None, owner: type[Any]) -> Selection[R]: ...
    @overload
    def __get__(self, run: RunState | State, owner: type[Any]) -> Sequence[R]: ...
    def __get__(self, run: RunState | State | None, owner: type[Any]) -> Sequence[R] | Selection[R]:
        if run is None:
            return self
        records: Mapping[str, R] = getattr(run, self.field)
        sorts_of: Callable[[Any, Any], int] = run.sorts_of[self.field]
        if self.by_status:  # the other sorts of a job ask for these
            sorts_of = run.sorts_of["by status"]
        values = vars(run)
        if type(records) is Records:  # to sort many is most of the work: it is done for all
            same = [
                one
                for one in run.selections[self.field]
                if one.by_status == self.by_status and one.name not in values
            ]
            sorted_as = [[sorts_of(run, one) for one in chunk] for chunk in records.chunks]
            for selection in same:
                sort = selection.sort
                values[selection.name] = Part.of(
                    [one for one, known in zip(chunk, known_as, strict=True) if known & sort]
                    for chunk, known_as in zip(records.chunks, sorted_as, strict=True)
                )
        else:
            sort = self.sort
            values[self.name] = tuple(
                [one for one in records.values() if sorts_of(run, one) & sort]
            )
        found: Sequence[R] = values[self.name]  # which hides this property
        return found


def with_record(run: RunState, field: str, record: Record) -> RunState:
    """The run with `record` in its place among those of `field`: the way to change one, as the
    selections would not follow anything else."""
    known: Mapping[str, Any] = getattr(run, field)
    old = known.get(record.id)
    new = _made(run, {field: with_entry(known, record.id, record)})
    if old is not None and field == "jobs":
        _with_job(run, new, old, record)
        return new
    _follow_one(run, new, field, old, record)
    if field == "allocations" and old is None and "carriers" in vars(new):
        vars(new)["carriers"] = run.also_carried_by(new.allocations[record.id])
    return new


def with_run(state: State, run: RunState) -> State:
    """As `with_record`, of a run."""
    old = state.runs.get(run.name)
    new = _made(state, {"runs": with_entry(state.runs, run.name, run)})
    if old is None or old.allocations is not run.allocations:
        vars(new).pop("kept_devices", None)
    _follow_one(state, new, "runs", old, run)
    return new


def _follow_one(
    before: RunState | State, after: RunState | State, field: str, old: Any, record: Any
) -> None:
    selections: Sequence[Selection[Any]] = before.selections[field]
    values = vars(after)
    known = [one for one in selections if one.name in values]
    if known:
        sorts_of: Callable[[Any, Any], int] = before.sorts_of[field]
        was = sorts_of(before, old) if old is not None else 0
        _follow(after, known, old, record, was, sorts_of(after, record))


def with_records(run: RunState, field: str, records: Iterable[Record]) -> RunState:
    """As `with_record`, of many at once: each alone would copy all of them."""
    new = _made(run, {field: with_entries(getattr(run, field), {one.id: one for one in records})})
    for selection in run.selections[field]:
        vars(new).pop(selection.name, None)
    vars(new).pop("failed_groups", None)
    return new


def _with_job(run: RunState, new: RunState, old: Record, record: Record) -> None:
    """Have the selections of `new` follow where `record` has taken the place of `old`, which was in
    `run`. How far it has come counts first: the other sorts, of others as well, depend on that."""
    sorts_of, by_status = run.sorts_of["jobs"], run.sorts_of["by status"]
    before, after = by_status(run, old), by_status(new, record)
    _follow(new, run.by_status, old, record, before, after)
    values = vars(new)
    if before == after:
        _follow(new, run.by_more, old, record, sorts_of(run, old), sorts_of(new, record))
        return
    values.pop("failed_groups", None)
    _follow(new, run.by_more, old, record, sorts_of(run, old), sorts_of(new, record))
    wide = [one for one in run.by_more if one.wide and one.name in values]
    others = new.concerned(record.id, before | after) if wide else ()
    if len(others) > MANY:
        for selection in wide:
            del values[selection.name]
        return
    for name in others:
        if name != record.id:
            other = new.jobs[name]
            _follow(new, wide, other, other, sorts_of(run, other), sorts_of(new, other))


def _follow(
    run: RunState | State,
    selections: Iterable[Selection[Any]],
    old: Record | None,
    new: Record,
    before: int,
    after: int,
) -> None:
    """Have those `selections` of `run` that are known say `new` where they said `old`."""
    if not before | after or (before == after and old is new):
        return
    values = vars(run)
    for selection in selections:
        sort = selection.sort
        if not (before | after) & sort or selection.name not in values:
            continue
        known = values[selection.name]
        records: Mapping[str, Any] = values[selection.field]
        following: Sequence[Record] | None
        if type(known) is Part and type(records) is Records:
            following = known.changed(records, new.id, old, new, bool(after & sort))
        elif type(records) is Records:
            following = None
        else:
            following = _after(known, old, new, bool(before & sort), bool(after & sort))
        if following is None:
            del values[selection.name]
        else:
            values[selection.name] = following


def _after(
    known: tuple[Record, ...], old: Record | None, new: Record, was: bool, holds: bool
) -> tuple[Record, ...] | None:
    """What `known` becomes where `new` takes the place of `old`, or the last one where there is no
    old one; None where its place has to be looked for."""
    if not holds:
        return tuple([one for one in known if one is not old])
    if was:
        return tuple([new if one is old else one for one in known])
    return (*known, new) if old is None or not known else None


S = TypeVar("S", "RunState", "State")


def _made(before: S, changes: Mapping[str, Any]) -> S:
    new = object.__new__(type(before))
    object.__setattr__(new, "__dict__", {**vars(before), **changes})
    return new
