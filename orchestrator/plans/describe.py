"""What a job is: its lane, its parameters. Built-in jobs are imported; a user's are asked.

Built-in jobs are light to import and a plan must be checked in a blink. A user's module may do
anything when it is imported, so a worker process imports it and answers in JSON:

    python -P -m skint.worker --describe TARGET --base DIR → {uses, devices, cpus, smoke, params, …}
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from orchestrator.plans.complaints import nearest
from skint.errors import SkintError
from skint.libraries import versions_of

DESCRIBE_TIMEOUT_S = 120.0
"""A user's module may import torch on a cold disk."""


class DescribeError(SkintError):
    """There is no such job, or it cannot be imported."""

    exit_code = 2


@dataclass(frozen=True)
class JobType:
    """A job as a plan needs to know it."""

    uses: str
    devices: int
    cpus: int
    """Cores; 0 means all of them."""
    smoke: bool
    """Whether it offers the ten-second rehearsal on a CPU."""
    paths: Mapping[str, str]
    """Parameters that are paths: `path`, `file-path` or `directory-path` by name."""
    model: type[BaseModel] | None = None
    """The parameters' class; None for a user's job, which lives in another process."""
    resume: bool = False
    """Whether it goes on from the checkpoint of the attempt before."""
    standby: bool = False
    measures: bool = False
    """Whether it may be started ahead of its devices."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of the installed packages that its result depends on; empty text: not there."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of a user's parameters; for a built-in job `model` says more and costs less."""


def builtin_jobs() -> Mapping[str, str]:
    """`module:function` by the name plans use."""
    from jobs import BUILTIN

    return BUILTIN


def is_builtin(uses: str) -> bool:
    return ":" not in uses


def describe(uses: str, base: Path, python: str = "") -> JobType:
    """The job `uses` names, seen from the plan's folder. DescribeError if there is none."""
    if not is_builtin(uses):
        return _ask_worker(uses, base, python)
    kind = describe_builtin(uses)
    if python:  # what is installed there is not what is installed here
        return replace(kind, libraries=_ask_worker(uses, base, python).libraries)
    return kind


def describe_builtin(uses: str) -> JobType:
    """As `describe`, of a built-in job. DescribeError if there is none of this name."""
    known = builtin_jobs()
    if uses not in known:
        file = uses if uses.endswith(".py") else None
        raise DescribeError(
            "there is no such job",
            got=uses,
            wanted=nearest(uses, known),
            next=f"for one of your own: uses: ./{file or 'FILE.py'}:FUNCTION",
        )
    module, _, name = known[uses].partition(":")
    function = getattr(importlib.import_module(module), name)
    info = function.__skint_job__
    model = get_type_hints(function)["params"]
    return JobType(
        uses=uses,
        devices=info.devices,
        cpus=info.cpus,
        smoke=info.smoke,
        paths=_path_fields(model),
        model=model,
        resume=info.resume,
        standby=info.standby,
        measures=info.measures,
        libraries=versions_of(info.libraries),
    )


def _ask_worker(uses: str, base: Path, python: str) -> JobType:
    arguments = ["skint.worker", "--describe", uses, "--base", str(base)]
    answer = ask(uses, arguments, base, python)
    return JobType(
        uses=uses,
        devices=int(answer["devices"]),
        cpus=int(answer["cpus"]),
        smoke=bool(answer["smoke"]),
        resume=bool(answer.get("resume")),
        standby=bool(answer.get("standby")),
        measures=bool(answer.get("measures")),
        libraries=answer.get("libraries") or {},
        paths=_paths_in_schema(answer.get("params") or {}),
        schema=answer.get("params") or {},
    )


def ask(
    uses: str, arguments: Sequence[str], base: Path, python: str = "", given: str = ""
) -> dict[str, Any]:
    """What a module that may import a user's code answers about `uses`, being told `given`.

    Raises DescribeError where it cannot be asked or says that something is wrong.
    """
    command = [python or sys.executable, "-P", "-m", *arguments]
    # Describing is CPU work, and CPU work does not see an accelerator.
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            command,
            cwd=base,
            env=env,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DESCRIBE_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DescribeError(f"cannot start {command[0]}: {why}", got=command[0]) from None
    except subprocess.TimeoutExpired:
        raise DescribeError(
            f"importing it did not end within {DESCRIBE_TIMEOUT_S:.0f} s", got=uses
        ) from None
    answer = _last_json(done.stdout)
    if answer is None:
        tail = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DescribeError(
            f"the worker could not describe it (exit code {done.returncode})",
            got=tail,
            next=" ".join(command),
        )
    if "error" in answer:
        said = answer["error"]
        parts = {name: said.get(name) or None for name in ("where", "got", "wanted", "next")}
        raise DescribeError(said["what"], **parts)
    return answer


def _path_fields(model: type[BaseModel]) -> dict[str, str]:
    """As `_paths_in_schema`, from the class: making its JSON schema takes longer than all else."""
    found: dict[str, str] = {}
    for name, info in model.model_fields.items():
        kinds: list[Any] = [info.annotation]
        demands = [*info.metadata]
        while kinds:
            kind = kinds.pop()
            demands += getattr(kind, "__metadata__", ())
            kinds += get_args(kind)
            if kind is Path:
                types = [one.path_type for one in demands if hasattr(one, "path_type")]
                found[name] = {"file": "file-path", "dir": "directory-path"}.get(
                    types[0] if types else "", "path"
                )
    return found


def _paths_in_schema(schema: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, said in schema.get("properties", {}).items():
        for choice in (said, *said.get("anyOf", ()), said.get("items") or {}):
            if choice.get("format") in ("path", "file-path", "directory-path"):
                found[name] = choice["format"]
    return found


def _last_json(text: str) -> dict[str, Any] | None:
    """The answer is the last line: what a user's module prints on import stands before it."""
    for line in reversed(text.strip().splitlines()):
        try:
            answer = json.loads(line)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None
    return None
