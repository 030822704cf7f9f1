"""What `import skint` gives and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import skint

HEAVY = ("pydantic", "numpy", "torch", "pytorch_lightning", "lightning", "jobs", "orchestrator")


@pytest.mark.parametrize("module", ["skint", "skint.shim", "skint.process", "skint.job"])
def test_importing_it_imports_nothing_heavy(module: str, tmp_path: Path) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-P", "-c", code]
    assert subprocess.check_output(command, text=True, cwd=tmp_path) == "[]\n"


def test_the_shim_needs_the_standard_library_only(tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-P", str(Path(skint.__file__).parent / "shim.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "usage: python -S -P -m skint.shim DIR\n")


def test_the_decorator_is_the_decorator_whatever_was_imported_before() -> None:
    code = "import skint.job, skint.report, skint; print(skint.job(), skint.report(a=1))"
    output = subprocess.check_output([sys.executable, "-P", "-c", code], text=True)
    assert output.startswith("<function job.<locals>.attach")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'skint' has no attribute 'Trainer'"):
        _ = skint.Trainer  # type: ignore[attr-defined]


def test_what_forks_shims_has_nothing_to_do_after_a_fork() -> None:
    """`threading` has: it costs more than a tenth of a job that does nothing."""
    look = f"import sys; sys.path.append({str(Path(skint.__file__).parent.parent)!r}); "
    look += "import skint.nursery; print(*{'threading', 'subprocess', 'random'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", look], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
