"""`torch.compile` of a network, in place, where what it needs is installed."""

from __future__ import annotations

import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from skint.errors import SkintError

COMPILERS = ("g++", "clang++", "c++")


class CompileError(SkintError):
    """The recipe asks to compile, and something for it is missing."""


def compile_in_place(module: nn.Module, device: str, *, backend: str = "inductor") -> None:
    """Let the next calls of `module` be compiled ones; the first of each shape takes its time.

    The module stays the same object: names in its state dict do not change, and a copy of it is
    not compiled. `device` is `cpu`, `cuda`, …. Raises CompileError where something is missing.
    """
    if backend == "inductor":
        refuse_uncompilable(device)
    module.compile(backend=backend)


def refuse_uncompilable(device: str) -> None:
    """Raise CompileError where something is missing that compiling for `device` needs."""
    if (missing := what_is_missing(device)) is not None:
        raise CompileError(
            "torch.compile cannot work here",
            where="compile",
            got=f"no {missing}",
            next="leave compile out, or install it",
        )


def what_is_missing(device: str) -> str | None:
    """The first thing that is not there and that compiling for `device` needs."""
    if not torch._dynamo.is_dynamo_supported():
        return f"support for this version of Python in torch {torch.__version__}"
    # Triton as well builds its launcher with a compiler and against Python's headers.
    if not any(shutil.which(name) for name in COMPILERS):
        return f"C++ compiler ({', '.join(COMPILERS)})"
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not headers.is_file():
        return "header files of Python (the package python3-dev)"
    if device == "cuda" and find_spec("triton") is None:
        return "package triton"
    return None
