"""A frozen record with other values in some of its fields."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Protocol, TypeVar


class Record(Protocol):
    """A frozen dataclass without slots that checks nothing when it is made."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


R = TypeVar("R", bound=Record)


def changed(record: R, **changes: Any) -> R:
    """As `dataclasses.replace`, which asks each of thirty fields first: most of the time of a
    simulated week would go there. TypeError for a field that there is not."""
    known = record.__dict__
    values = {**known, **changes}
    if len(values) > len(known):
        unknown = values.keys() - known.keys()
        raise TypeError(f"{type(record).__name__} has no {', '.join(sorted(unknown))}")
    new = object.__new__(type(record))
    object.__setattr__(new, "__dict__", values)
    return new
