"""A frozen record with other values in some of its fields; or made of values by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
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


def made(kind: type[R], values: Mapping[str, Any]) -> R:
    """As `kind(**values)`, which sets thirty fields one by one: ten thousand jobs are read
    in a third of the time. Defaults are shared, so they must never change. TypeError as there."""
    defaults, required = _defaults(kind)
    known = {**defaults, **values}
    if len(known) != len(defaults) + len(required) or not required <= values.keys():
        wrong = sorted(known.keys() - defaults.keys() - required) + sorted(required - known.keys())
        raise TypeError(f"{kind.__name__} has other fields: {', '.join(map(repr, wrong))}")
    new = object.__new__(kind)
    object.__setattr__(new, "__dict__", known)
    return new


@cache
def _defaults(kind: type[Record]) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Values of the fields that may be left out, and the names of the others."""
    defaults = {}
    for one in fields(kind):
        if one.default_factory is not MISSING:
            defaults[one.name] = one.default_factory()
        elif one.default is not MISSING:
            defaults[one.name] = one.default
    return defaults, frozenset(one.name for one in fields(kind)) - defaults.keys()
