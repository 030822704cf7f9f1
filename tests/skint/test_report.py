"""Reports from any process of an attempt, and from none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skint.attempt import AttemptDir, Task
from skint.events import EventWriter, ReportError

Make = Callable[..., Any]


def test_a_program_of_a_run_job_reports_from_its_own_children(attempt: Make, python: str) -> None:
    inner = f"{python} -c 'import skint; skint.report(epoch=2, val_loss=float(\"nan\"))'"
    one = attempt(argv=("sh", "-c", f"({inner})"))
    assert one.run().reason == "done"
    (line,) = one.events("report")
    assert line["values"] == {"epoch": 2, "val_loss": "nan"}
    assert (line["attempt"], line["fence"]) == (one.task.attempt, 1)


def test_outside_skint_a_report_does_nothing(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if "SKINT" not in key}
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import skint; skint.report(epoch=1)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == [tmp_path / "skint-home"]


def test_processes_that_report_at_once_write_whole_lines_with_their_own_seq(
    attempt: Make, python: str
) -> None:
    program = """
import os, skint
for _ in range(3):
    os.fork()                            # eight processes
for number in range(100):
    skint.report(pid=os.getpid(), number=number, text="x" * 300)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""
    one = attempt(argv=(python, "-c", program))
    assert one.run().reason == "done"
    lines = one.events("report")
    assert len(lines) == 800
    assert len({(line["values"]["pid"], line["values"]["number"]) for line in lines}) == 800
    seqs = [line["seq"] for line in one.events()]
    assert seqs == sorted(set(seqs))


@pytest.fixture
def writer(tmp_path: Path) -> EventWriter:
    directory = AttemptDir(tmp_path / "a")
    task = Task("a.1", 7, "run", "job")
    directory.create(task)
    return EventWriter.of(directory, task)


def test_half_a_line_of_a_killed_writer_is_ended(writer: EventWriter) -> None:
    events = writer.directory.events
    events.write_text('{"half":')
    writer.report({"epoch": 1})
    half, whole = events.read_text().splitlines()
    assert half == '{"half":'
    assert json.loads(whole)["seq"] == events.read_text().index(whole)


def test_what_went_wrong_is_said_once(writer: EventWriter) -> None:
    """By the process that fails first; the others fail because of it."""
    writer.error("no room", trace=True)
    writer.error("nobody answers")
    replace(writer, silent=True).write("note", text="not heard")
    (line,) = map(json.loads, writer.directory.events.read_text().splitlines())
    assert (line["kind"], line["what"], line["trace"]) == ("error", "no room", True)


def test_scalars_of_every_kind_become_strict_json(writer: EventWriter) -> None:
    writer.report(
        {
            "a": np.float32(0.5),
            "b": np.int64(3),
            "c": float("-inf"),
            "d": np.array(float("inf")),
            "e": None,
            "f": True,
            "g": "text",
            "h": np.float64("nan"),
        }
    )
    values = json.loads(writer.directory.events.read_text())["values"]
    assert values == {
        "a": 0.5,
        "b": 3,
        "c": "-inf",
        "d": "inf",
        "e": None,
        "f": True,
        "g": "text",
        "h": "nan",
    }


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.zeros(3), object()])
def test_what_is_no_scalar_is_refused_by_name(writer: EventWriter, value: object) -> None:
    with pytest.raises(ReportError) as caught:
        writer.report({"val_acc": value})
    assert str(caught.value) == (
        "val_acc cannot be reported\n"
        f"  got     a value of type {type(value).__name__}\n"
        "  wanted  a number, a text, true, false or None"
    )
    assert not writer.directory.events.exists()
