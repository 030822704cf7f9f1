"""The stand-in of the NVIDIA driver: compiled, and told how its two cards are."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml.c")


@dataclass(frozen=True)
class StandIn:
    """A compiled library in `folder` and the file that says how its cards are."""

    folder: Path

    @property
    def cards(self) -> Path:
        return self.folder / "cards.txt"

    @property
    def environ(self) -> dict[str, str]:
        """For a fresh process: the stand-in is the first library of its name."""
        return {"LD_LIBRARY_PATH": str(self.folder), "NVML_STAND_IN": str(self.cards)}

    def say(self, *lines: str) -> None:
        """Lines as `nvml.c` reads them; atomically, since a program may be looking."""
        new = self.cards.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.replace(self.cards)


def compiled(folder: Path) -> StandIn:
    """The stand-in in `folder`; skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("no C compiler for the stand-in of the driver")
        pytest.skip("no C compiler for the stand-in of the driver")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
    return StandIn(folder)
