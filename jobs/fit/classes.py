"""The user's classes: found by their import path, and called with what they take."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import skint
from skint.errors import USAGE, SkintError
from skint.job import import_target, nearest

PACKAGES = ("pytorch_lightning", "lightning.pytorch")
"""The names that Lightning is installed under; its classes are not the same in both."""

NO_FOLD = {"fold": 0, "folds": 1}
"""What a class is given that asks for its fold without a default, where the job has none."""


class ClassError(SkintError):
    """A class is not there, is of another kind, or does not take what it is given."""

    exit_code = USAGE


@dataclass(frozen=True)
class Made:
    """The objects of a stage."""

    module: Any
    """A LightningModule."""
    data: Any
    """A LightningDataModule of the same Lightning."""
    lightning: ModuleType
    """`pytorch_lightning` or `lightning.pytorch`: where the classes are from."""


def make_data(path: str, given: Mapping[str, Any], ctx: skint.Context, *, seed: int) -> Any:
    """The data module. Raises ClassError."""
    kind = find_class(path, ctx.base, "LightningDataModule")
    return call(kind, path, given, _offered(ctx, seed), where="data_args")


def make_module(
    path: str, given: Mapping[str, Any], data: Any, ctx: skint.Context, *, seed: int
) -> Made:
    """The module, and what it is made with. Raises ClassError.

    A module that takes `data` gets the data module after its `setup("fit")`.
    """
    kind = find_class(path, ctx.base, "LightningModule")
    lightning = lightning_of(kind, "LightningModule")
    assert lightning is not None
    if not isinstance(data, lightning.LightningDataModule):
        other = lightning_of(type(data), "LightningDataModule")
        raise ClassError(
            "the module and its data stand on two Lightnings",
            where=path,
            got=f"{lightning.__name__} and {other.__name__ if other else 'another'}",
            next=f"import {lightning.__name__} in both",
        )
    offered: dict[str, Any] = _offered(ctx, seed)
    if "data" in inspect.signature(kind).parameters:
        data.prepare_data()
        data.setup("fit")
        offered["data"] = data
    return Made(call(kind, path, given, offered, where="module_args"), data, lightning)


def find_class(path: str, base: Path, kind: str) -> type:
    """The class `module:Class`, which stands on Lightning's `kind`. Raises ClassError, JobNotFound
    where there is no such module, and what importing it raises."""
    name = path.rpartition(":")[2]
    module = import_target(path, base)
    found = getattr(module, name, None)
    own = [key for key, value in vars(module).items() if lightning_of(value, kind) is not None]
    if found is None:
        raise ClassError(
            f"{path.rpartition(':')[0]} has no class {name}",
            where=module.__file__,
            wanted=", ".join(own) or f"a {kind}",
            next=nearest(name, own),
        )
    if lightning_of(found, kind) is None:
        raise ClassError(
            f"{path} is no {kind}",
            where=module.__file__,
            got=f"a {found.__name__}" if isinstance(found, type) else type(found).__name__,
            wanted=", ".join(own) or f"class {name}(pl.{kind})",
        )
    assert isinstance(found, type)
    return found


def lightning_of(found: Any, kind: str) -> ModuleType | None:
    """The Lightning whose `kind` the class stands on; None where it is something else."""
    if not isinstance(found, type):
        return None
    for name in PACKAGES:
        package = sys.modules.get(name)
        if package is not None and issubclass(found, getattr(package, kind)):
            return package if found is not getattr(package, kind) else None
    return None


def call(
    kind: Callable[..., Any],
    path: str,
    given: Mapping[str, Any],
    offered: Mapping[str, Any],
    *,
    where: str,
) -> Any:
    """`kind` called with what is `given`, and with what it takes of what is `offered`."""
    parameters = inspect.signature(kind).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [name for name in given if name not in parameters and not takes_any]
    if unknown:
        raise ClassError(
            f"{path} has no parameter {unknown[0]}",
            where=where,
            got=repr(given[unknown[0]]),
            wanted=", ".join(parameters) or "no parameters",
            next=nearest(unknown[0], parameters),
        )
    arguments = {name: value for name, value in offered.items() if name in parameters}
    needed = {name for name, p in parameters.items() if p.default is p.empty}
    arguments.update(
        {name: value for name, value in NO_FOLD.items() if name in needed - set(offered)}
    )
    arguments.update(given)
    positional = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    missing = [
        name
        for name, p in parameters.items()
        if p.default is p.empty and p.kind not in positional and name not in arguments
    ]
    if missing:
        raise ClassError(
            f"{path} needs {missing[0]}",
            where=where,
            got=", ".join(given) or "nothing",
            next=f"{where}: {{{missing[0]}: VALUE}}",
        )
    return kind(**arguments)


def _offered(ctx: skint.Context, seed: int) -> dict[str, Any]:
    fold = {} if ctx.fold is None else {"fold": ctx.fold, "folds": ctx.folds}
    return {**fold, "inputs": dict(ctx.inputs), "seed": seed}
