"""`python -m tests.device.check`: run every check on a device and write the record.

Exits with 0 where none failed, 1 where one did, 2 where there is no device.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.device.machine import ROOT, device_name, facts
from tests.device.record import Check, count, page, slug, title_of

NO_DEVICE = 2
RECORDS = ROOT / "docs" / "devices"


class Recorder:
    """A plugin of pytest that keeps what came of each check."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        path, _, name = report.location
        self.checks.append(
            Check(
                Path(path).stem.removeprefix("test_"),
                title_of(name),
                report.outcome,
                report.duration,
                tuple((str(what), str(value)) for what, value in report.user_properties),
                _why(report),
            )
        )


def _why(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    if report.failed:
        return str(crash.message if crash is not None else report.longrepr).partition("\n")[0]
    return ""


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--into", type=Path, help="folder of the record")
    given, for_pytest = parser.parse_known_args(words)
    if given.device == "cuda" and not torch.cuda.is_available():
        print(
            f"gpu-check: torch {torch.__version__} sees no CUDA device here; "
            "on a CPU, which only checks the checks: make gpu-check DEVICE=cpu",
            file=sys.stderr,
        )
        return NO_DEVICE
    name = device_name(given.device)
    date = datetime.now(UTC).date().isoformat()
    into = given.into or (RECORDS if given.device == "cuda" else Path(tempfile.mkdtemp()))
    recorder = Recorder()
    # Warnings that ours cause are errors elsewhere; what torch warns of on a device is its own.
    options = ["-c", str(ROOT / "pyproject.toml"), "-W", "default", "-p", "no:cacheprovider", "-q"]
    folder = str(ROOT / "tests" / "device")
    code = pytest.main([folder, "--device", given.device, *options, *for_pytest], [recorder])
    if not recorder.checks:
        return int(code)
    text = page(name, date, facts(given.device), recorder.checks, real=given.device == "cuda")
    into.mkdir(parents=True, exist_ok=True)
    record = into / f"{date}-{slug(name)}.md"
    record.write_text(text, encoding="utf-8")
    print(f"{count(recorder.checks)} {record}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
