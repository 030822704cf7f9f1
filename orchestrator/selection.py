"""Those records of a run that something holds of: most of a run is over most of the time, and what
is not is asked for again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from orchestrator.state import RunState


class Record(Protocol):
    """Of a job, an attempt or an allocation."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Record)


class Selection(Generic[R]):
    """A property of a run: the records of one of its mappings that `holds` of, in their order.

    They are looked for once, and then handed on from one state of the run to the next.
    """

    def __init__(self, field: str, holds: Callable[[RunState, R], bool]) -> None:
        self.field = field
        self.holds = holds
        self.name = ""

    def __set_name__(self, owner: type[RunState], name: str) -> None:
        self.name = name
        owner.selections.setdefault(self.field, []).append(self)

    @overload
    def __get__(self, run: None, owner: type[RunState]) -> Selection[R]: ...
    @overload
    def __get__(self, run: RunState, owner: type[RunState]) -> tuple[R, ...]: ...
    def __get__(self, run: RunState | None, owner: type[RunState]) -> tuple[R, ...] | Selection[R]:
        if run is None:
            return self
        records: Mapping[str, R] = getattr(run, self.field)
        found = tuple([record for record in records.values() if self.holds(run, record)])
        vars(run)[self.name] = found  # which hides this property
        return found

    def after(
        self, run: RunState, known: tuple[R, ...], old: R | None, new: R
    ) -> tuple[R, ...] | None:
        """What `known` becomes where `new` takes the place of `old`, or the last one where there
        is no old one; None where its place has to be looked for."""
        was = bool(known) and old is not None and self.holds(run, old)
        if not self.holds(run, new):
            return tuple([one for one in known if one is not old]) if was else known
        if was:
            return tuple([new if one is old else one for one in known])
        return (*known, new) if old is None or not known else None


def with_record(run: RunState, field: str, record: Record) -> RunState:
    """The run with `record` in its place among those of `field`: the way to change one, as the
    selections would not follow anything else."""
    values = {**vars(run)}
    records: Mapping[str, Any] = values[field]
    old = records.get(record.id)
    values[field] = {**records, record.id: record}
    for selection in run.selections[field]:
        known = values.get(selection.name)
        if known is not None:
            following = selection.after(run, known, old, record)
            if following is None:
                del values[selection.name]
            else:
                values[selection.name] = following
    return _made(type(run), values)


def with_records(run: RunState, field: str, records: Iterable[Record]) -> RunState:
    """As `with_record`, of many at once: each alone would copy all of them."""
    values = {**vars(run)}
    known: Mapping[str, Any] = values[field]
    values[field] = {**known, **{record.id: record for record in records}}
    for selection in run.selections[field]:
        values.pop(selection.name, None)
    return _made(type(run), values)


def _made(kind: type[RunState], values: Mapping[str, Any]) -> RunState:
    new = object.__new__(kind)
    object.__setattr__(new, "__dict__", values)
    return new
