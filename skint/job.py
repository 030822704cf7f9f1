"""The decorator that makes a function a job, and finding the function that a plan names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from skint.errors import USAGE, SkintError

F = TypeVar("F", bound=Callable[..., None])

OURS = ("budget", "jobs", "notifiers", "orchestrator", "skint")
"""Top-level packages of this distribution; a user's module of that name cannot be imported."""


class JobNotFound(SkintError):
    """Nothing stands under that name, or what stands there is no job."""

    exit_code = USAGE


@dataclass(frozen=True)
class JobInfo:
    """What a job needs by default; a plan may say otherwise."""

    devices: int = 0
    """Accelerators; 0 puts it in the CPU lane."""
    cpus: int = 1
    """Cores; 0 is all of them."""
    smoke: bool = False
    """Whether it can be rehearsed on a CPU in ten seconds (`ctx.smoke`)."""
    resume: bool = False
    """Whether it goes on from `ctx.previous` after a stop, rather than from the start."""
    standby: bool = False
    """Whether it may be started ahead of its devices: it calls `ctx.wait_for_devices()` before it
    needs them, and touches none before."""
    measures: bool = False
    """Whether it tells of the devices themselves: its result then holds on one account only."""
    libraries: tuple[str, ...] = ()
    """Installed packages whose version its result depends on, by their names on the index:
    `Pillow`, not `PIL`."""


@dataclass(frozen=True)
class FoundJob:
    uses: str
    function: Callable[[Any, Any], None]
    info: JobInfo
    source: Path
    """The file the function stands in."""
    line: int


def job(
    *,
    devices: int = 0,
    cpus: int = 1,
    smoke: bool = False,
    resume: bool = False,
    standby: bool = False,
    measures: bool = False,
    libraries: Sequence[str] = (),
) -> Callable[[F], F]:
    """Make a function `(params, ctx) -> None` a job; it stays callable as it is.

    The annotation of `params` (a pydantic model) is the schema of `with:` in the plan. A result is
    reused as long as code, parameters and inputs stay the same; `libraries` names the installed
    packages (`"Pillow"`, `"numpy"`) that count as well.
    """
    if isinstance(libraries, str):
        raise TypeError(f"libraries is a tuple of names, such as ({libraries!r},)")
    names = tuple(libraries)
    info = JobInfo(devices, cpus, smoke, resume, standby, measures, names)

    def attach(function: F) -> F:
        function.__skint_job__ = info  # type: ignore[attr-defined]
        return function

    return attach


def find_job(uses: str, base: Path) -> FoundJob:
    """The job that `uses` names: `resize`, `my_module:my_job` or `./train.py:fit`.

    Imports the user's code. `base` is the plan's folder: files and modules are found from there,
    and it goes last on `sys.path`. Raises JobNotFound; what the user's module raises itself
    comes through.
    """
    base = base.resolve()
    _target, colon, name = uses.rpartition(":")
    if not colon:
        function = _builtin(uses)
    else:
        function = _member(import_target(uses, base), name, uses)
    info = getattr(function, "__skint_job__", None)
    if not callable(function) or not isinstance(info, JobInfo):
        raise JobNotFound(
            f"{uses} is not a job",
            got=f"a {type(function).__name__} without the decorator",
            next=f"write @skint.job(devices=0) above `def {name}(params, ctx)`",
        )
    code = getattr(function, "__code__", None)
    source = Path(code.co_filename if code else sys.modules[function.__module__].__file__ or "")
    return FoundJob(uses, function, info, source, code.co_firstlineno if code else 1)


def import_target(uses: str, base: Path) -> ModuleType:
    """The module of `my_module:name` or `./train.py:name`; see `find_job`."""
    base, target = base.resolve(), uses.rpartition(":")[0]
    if target.endswith(".py") or "/" in target:
        return _load_file(target, base, uses)
    return _load_module(target, base, uses)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A sentence that proposes the nearest known name, or None when none is near."""
    import difflib  # only for a mistake

    matches = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {matches[0]}?" if matches else None


def _builtin(name: str) -> Any:
    # By name only: this package must not depend on the built-in jobs.
    package = importlib.import_module("jobs")
    table = getattr(package, "BUILTIN", None)
    if table is None:
        raise JobNotFound(
            "the built-in jobs are hidden by another module called jobs",
            got=str(getattr(package, "__file__", None) or package.__path__),
            next="remove its folder from PYTHONPATH, or uninstall that package",
        )
    if name not in table:
        raise JobNotFound(
            f"there is no built-in job {name}",
            wanted=", ".join(sorted(table)) + ", or module:function, or ./file.py:function",
            next=nearest(name, table),
        )
    module, _, function = table[name].partition(":")
    return getattr(importlib.import_module(module), function)


def _member(module: ModuleType, name: str, uses: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    jobs = [key for key, value in vars(module).items() if hasattr(value, "__skint_job__")]
    raise JobNotFound(
        f"{uses.rpartition(':')[0]} has no function {name}",
        where=module.__file__,
        wanted=", ".join(jobs) or "a function decorated with @skint.job(...)",
        next=nearest(name, jobs),
    )


def _load_file(target: str, base: Path, uses: str) -> ModuleType:
    path = (base / target).resolve()
    if not path.is_file():
        files = sorted(file.name for file in path.parent.glob("*.py"))
        raise JobNotFound(
            f"there is no file {target}",
            where=str(path),
            wanted=f"the file of `uses: {uses}`",
            next=nearest(path.name, files),
        )
    _append_to_path(base)
    _append_to_path(path.parent)
    spec = _spec(path.stem)
    if spec is None or not spec.origin or Path(spec.origin).resolve() != path:
        # Another module has its name: it is still this file that was asked for.
        spec = importlib.util.spec_from_file_location(f"_skint_file_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise JobNotFound(f"{target} is not a Python file", where=str(path))
    if spec.name in sys.modules:
        return sys.modules[spec.name]
    module = importlib.util.module_from_spec(spec)
    # Before it runs, as `import` does: dataclasses and pydantic look their module up.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def _load_module(target: str, base: Path, uses: str) -> ModuleType:
    _append_to_path(base)
    top = target.partition(".")[0]
    own = next((p for p in (base / f"{top}.py", base / top / "__init__.py") if p.exists()), None)
    if top in OURS:
        raise JobNotFound(
            f"a module called {top} would be shadowed by skint's own package {top}",
            where=str(own) if own else None,
            got=f"uses: {uses}",
            next=f"uses: ./{target.replace('.', '/')}.py:{uses.rpartition(':')[2]}, or rename it",
        )
    spec = _spec(top)
    if spec is None:
        modules = {path.stem for path in base.glob("*.py")}
        modules |= {path.parent.name for path in base.glob("*/__init__.py")}
        raise JobNotFound(
            f"there is no module {top}",
            where=str(base),
            got=f"uses: {uses}",
            wanted=f"{top}.py in the plan's folder, or an installed package",
            next=nearest(top, modules),
        )
    if own and spec.origin and Path(spec.origin).resolve() != own.resolve():
        raise JobNotFound(
            f"the module {top} is hidden by another one of that name",
            where=str(own),
            got=f"{spec.origin}, which is imported first",
            next=f"uses: ./{own.relative_to(base)}:{uses.rpartition(':')[2]}, or rename it",
        )
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name and (target == error.name or target.startswith(f"{error.name}.")):
            raise JobNotFound(
                f"there is no module {target}", where=str(base), got=f"uses: {uses}"
            ) from error
        raise


def _spec(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _append_to_path(folder: Path) -> None:
    """Last on the path: a file in the plan's folder must not replace an installed package."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
