"""The programs of docs/feeding.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.jobs.small_set import small_set  # noqa: E402

pytestmark = pytest.mark.torch
PAGE = Path(__file__).resolve().parents[2] / "docs" / "feeding.md"


def test_the_programs_of_the_page_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_set(tmp_path / "packed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    for program in programs:
        exec(compile(program, str(PAGE), "exec"), names)
    assert len(programs) == 3
    assert names["loss"].isfinite() and 0 <= names["right"] <= 12
    assert torch.load("loader.pt")["epoch"] == 2
    assert names["total"] == int(names["images"].take(names["train"]).sum())
