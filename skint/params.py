"""Parameters of a job: the annotation of its first argument is their schema.

pydantic is imported inside the functions.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skint.errors import USAGE, SkintError
from skint.job import FoundJob, nearest

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class ParamsError(SkintError):
    """The parameters do not fit the job, or the job does not say what it takes."""

    exit_code = USAGE


def json_schema(found: FoundJob) -> dict[str, Any]:
    """JSON schema of the job's parameters. Raises ParamsError when it has none."""
    from pydantic import PydanticUserError

    try:
        return _adapter(found).json_schema()
    except PydanticUserError as error:
        raise ParamsError(
            f"the parameters of {found.uses} have no JSON schema",
            where=f"{found.source}:{found.line}",
            got=str(error).partition("\n")[0],
        ) from error


def read_params(found: FoundJob, given: Mapping[str, Any]) -> Any:
    """The parameters as the job takes them. Raises ParamsError for the first that does not fit."""
    from pydantic import ValidationError

    adapter = _adapter(found)
    try:
        return adapter.validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        known = sorted(adapter.json_schema().get("properties", {}))
        raise _mistake(found.uses, first, known) from error


def _mistake(uses: str, error: Mapping[str, Any], known: list[str]) -> ParamsError:
    path = ".".join(map(str, error["loc"]))
    where = f"with.{path}" if path else "with"
    if error["type"] == "extra_forbidden":
        return ParamsError(
            f"{uses} has no parameter {path}",
            where=where,
            got=repr(error["input"]),
            wanted=", ".join(known) or "no parameters",
            next=nearest(path, known),
        )
    if error["type"] == "missing":
        return ParamsError(f"{uses} needs the parameter {path}", where=where, got="nothing")
    message = str(error["msg"]).removeprefix("Value error, ")
    return ParamsError(
        f"the parameter {path} of {uses} is not valid" if path else f"{uses}: {message}",
        where=where,
        got=repr(error["input"]),
        wanted=message[:1].lower() + message[1:],
    )


def _adapter(found: FoundJob) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    where = f"{found.source}:{found.line}"
    names = list(inspect.signature(found.function).parameters)
    if len(names) != 2:
        raise ParamsError(
            f"{found.uses} does not take what a job takes",
            where=where,
            got=f"({', '.join(names)})",
            wanted="(params, ctx)",
        )
    try:
        hints = typing.get_type_hints(found.function)
    except NameError as error:
        raise ParamsError(
            f"an annotation of {found.uses} cannot be looked up",
            where=where,
            got=str(error),
            wanted="names that stand at the top of the module, imported at run time",
        ) from error
    if names[0] not in hints:
        raise ParamsError(
            f"{found.uses} does not say which parameters it takes",
            where=where,
            got=f"`{names[0]}` without an annotation",
            wanted="a pydantic model, e.g. `params: Params`",
        )
    return TypeAdapter(hints[names[0]])
