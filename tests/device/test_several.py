"""Two devices, where there are two: one training on both, and two folds side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.device.given import Given
from tests.device.runs import PATIENCE_S, RUN, charged_ms, looked_at, prepared, run_of
from tests.terminal import until

pytestmark = pytest.mark.device

Note = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def two(given: Given) -> None:
    if len(given.uuids) < 2:
        pytest.skip("one device")


def seen(folder: Path, name: str) -> list[str]:
    """What the network said that it sees."""
    uuids: list[str] = json.loads((folder / f"seen-{name}.json").read_text())["uuids"]
    return uuids


def test_a_fold_trains_on_both_and_both_are_charged(
    given: Given, tmp_path: Path, record_property: Note
) -> None:
    terminal = prepared(tmp_path, given, devices=2)
    done = terminal.skint("run", "plan.yaml", "--folds", "0")
    assert done.code == 0, done.out + done.err
    with looked_at(terminal) as store:
        run = run_of(store.state())
    assert run is not None
    (kept,) = run.allocations.values()
    assert kept.start_ms is not None and kept.end_ms is not None
    assert len(kept.devices) == 2
    assert charged_ms(terminal) == 2 * (kept.end_ms - kept.start_ms)
    record_property("charged", f"2 × {(kept.end_ms - kept.start_ms) / 1000:.3f} s")
    found = list((tmp_path / "home" / "runs" / RUN).glob("train*/*/out/result.json"))
    record_property("score", json.loads(found[0].read_text())["score"])
    if given.by_uuid:
        for rank in (0, 1):
            assert seen(tmp_path, f"fold0-{rank}") == list(kept.devices)


def test_two_folds_side_by_side_have_a_device_each(
    given: Given, tmp_path: Path, record_property: Note
) -> None:
    terminal = prepared(tmp_path, given)
    hold = terminal.write("hold", "until the second fold trains too")
    running = terminal.begin("run", "plan.yaml")
    second = tmp_path / "seen-fold1-0.json"
    until(lambda: second.exists() or running.poll() is not None, PATIENCE_S)
    hold.unlink()
    out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, out + err
    with looked_at(terminal) as store:
        run = run_of(store.state())
    assert run is not None
    one, other = (a for a in run.attempts.values() if a.devices)
    assert len(one.devices) == len(other.devices) == 1 and one.devices != other.devices
    starts = (one.started_ms or 0, other.started_ms or 0)
    ends = (one.ended_ms or 0, other.ended_ms or 0)
    assert max(starts) < min(ends)
    record_property("together for", f"{(min(ends) - max(starts)) / 1000:.1f} s")
    if given.by_uuid:
        for attempt in (one, other):
            fold = "fold0" if ".fold0." in attempt.id else "fold1"
            assert seen(tmp_path, f"{fold}-0") == list(attempt.devices)
