"""Lines that attempts write: none may stop the scheduler, now or when its events are read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.clock import SimulatedClock
from orchestrator.executors.simulated import Script, SimulatedEngine
from orchestrator.scheduler.lines import parse_line
from skint.attempt import Task
from tests.orchestrator.worlds import World, graph, job

HEAD = {"attempt": "run-1.scan.1", "fence": 1, "seq": 0, "at": 1_000}


def line(**fields: Any) -> bytes:
    return json.dumps({**HEAD, **fields}).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "started", "pid": 7},
        {"kind": "progress", "done": 1, "total": 2.5},
        {"kind": "report", "values": {"epoch": 1, "val_loss": "nan", "best": True, "lr": None}},
        {"kind": "note", "text": "1 file quarantined"},
        {"kind": "error", "what": "no such folder", "where": None, "trace": True},
        {"kind": "something of a later version"},
    ],
)
def test_a_line_that_jobs_write_is_read(fields: dict[str, Any]) -> None:
    read = parse_line(line(**fields), "run-1.scan.1")
    assert (read.fence, read.at_ms, read.kind) == (1, 1_000, fields["kind"])


BAD = [
    b"",
    b"epoch 1 of 5",
    b"[]",
    b"\xff\xfe",
    b"null",
    b"[" * 100_000,
    line(kind="report"),
    line(kind="report", values=[0.5]),
    line(kind="report", values={"confusion": [[1, 2], [3, 4]]}),
    line(kind="progress", done=1),
    line(kind="progress", done="1", total=2),
    line(kind="progress", done=10**400, total=2),
    line(kind="note"),
    line(kind="note", text=["a"]),
    line(kind="error", where="x.py:1"),
    line(kind=None),
    line(kind="note", text="x", at="yesterday"),
    line(kind="note", text="x", fence=True),
    line(kind="note", text="x", attempt="run-1.other.1"),
    line(kind="report", values={"val_loss": 0.5}).replace(b"0.5", b"NaN"),
    line(kind="report", values={"val_loss": 0.5}).replace(b"0.5", b"-Infinity"),
    line(kind="report", values={"val_loss": 0.5}).replace(b"0.5", b"1e999"),
    line(kind="report", values={"val_loss": 0.5}).replace(b"0.5", b"1" * 5_000),
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:60]))
def test_a_line_that_is_no_event_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_line(text, "run-1.scan.1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


# No deadline: how fast this machine is today is not what is asked.
@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["done", "total", "values", "text", "what", "where"]), JSON),
    st.sampled_from(["progress", "report", "note", "error", "started"]),
)
def test_whatever_is_read_can_be_kept_and_shown(fields: dict[str, Any], kind: str) -> None:
    try:
        read = parse_line(line(**fields, kind=kind), "run-1.scan.1")
    except ValueError:
        return
    json.dumps(read.data, allow_nan=False)


class Scribbler(SimulatedEngine):
    """An engine whose jobs write more than they should."""

    scribbles: tuple[bytes, ...] = ()

    def _play(self, task: Task, start_ms: int, done_s: float = 0.0) -> Any:
        attempt = super()._play(task, start_ms, done_s)
        attempt.lines[:0] = [(start_ms, text) for text in self.scribbles]
        return attempt


def test_a_run_with_bad_lines_comes_to_its_end_and_the_good_ones_count(tmp_path: Path) -> None:
    world = World(tmp_path)
    good = (1.0, {"kind": "report", "values": {"epoch": 1}})
    old = (2.0, {"kind": "note", "text": "from an older attempt", "fence": 0})
    engine = Scribbler(
        SimulatedClock(world.start_ms), lambda task: Script(seconds=5, lines=(good, old))
    )
    engine.scribbles = tuple(text.replace(b"run-1.", b"seedlings-1.") for text in BAD)
    world.engine, world.clock = engine, engine.clock  # type: ignore[assignment]
    world.restart()
    run = world.settle(graph(replace(job("scan"), argv=("anything",))))
    assert run.outcome == "done"
    (attempt,) = run.attempts.values()
    assert [report["epoch"] for report in attempt.reports] == [1]
    assert attempt.notes == ()
    assert world.store.state() == world.store.replayed()
