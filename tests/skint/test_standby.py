"""An attempt that is started ahead of its devices: real shims and real workers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skint.attempt import Go, StopRequest

Make = Callable[..., Any]

JOB = """
import json, os, time
import skint
from pydantic import BaseModel

class Params(BaseModel):
    after: str = ""

@skint.job(devices=1, standby=True)
def fit(params: Params, ctx: skint.Context) -> None:
    mask = os.environ["CUDA_VISIBLE_DEVICES"]
    if params.after != "no wait":
        ctx.wait_for_devices()
    seen = [mask, os.environ["CUDA_VISIBLE_DEVICES"], list(ctx.devices)]
    (ctx.out / "seen").write_text(json.dumps(seen))
    while params.after == "wait":
        ctx.check()
        time.sleep(0.01)
    if params.after == "die":
        os._exit(3)
"""


@pytest.fixture
def ahead(attempt: Make, tmp_path: Path) -> Make:
    (tmp_path / "work.py").write_text(JOB)

    def make(after: str = "", **fields: Any) -> Any:
        fields = {"standby_s": 60.0, "limit_s": 60.0, **fields}
        return attempt(uses="./work.py:fit", params={"after": after}, **fields)

    return make


def go(one: Any, **fields: Any) -> Go:
    given = Go(**{"allocation": "r.a-1.u", "at_ms": time.time_ns() // 10**6, **fields})
    assert one.directory.give(given) == given
    return given


def ready(one: Any) -> Any:
    one.start()
    one.wait_until(lambda: one.events("ready") or one.directory.exit.exists())
    assert one.events("ready"), one.log()
    return one


def test_it_gets_its_devices_later_and_pays_from_then_on(ahead: Make) -> None:
    one = ready(ahead())
    assert one.directory.read_exit() is None
    given = go(one, devices=("GPU-7",), limit_s=60.0)
    end = one.end()
    assert (end.code, end.reason, list(end.outputs)) == (0, "done", ["seen"])
    assert end.started_ms == given.at_ms <= end.ended_ms
    assert json.loads((one.directory.out / "seen").read_text()) == ["", "GPU-7", ["GPU-7"]]


def test_its_limit_counts_from_its_devices_on(ahead: Make) -> None:
    one = ready(ahead("wait", limit_s=0.05))  # long over before it has any
    given = go(one, devices=("GPU-7",), limit_s=0.5)
    end = one.end()
    assert (end.code, end.reason) == (75, "deadline")
    assert (one.directory.out / "seen").exists()
    assert end.ended_ms - given.at_ms >= 500


def test_one_that_gets_none_ends_after_a_while_and_has_cost_nothing(ahead: Make) -> None:
    one = ahead(standby_s=0.2)
    one.start()
    end = one.end()
    assert (end.code, end.reason, end.digest) == (75, "unused", "")
    assert one.directory.give(Go("r.a-1.u", 1)).void  # nobody can give it any now
    assert not one.events("error")


def test_one_that_is_told_to_end_was_never_used(ahead: Make) -> None:
    one = ready(ahead())
    one.directory.request_stop(StopRequest("kill", "end", "dropped"))
    assert one.end().reason == "unused"
    assert one.directory.read_go().void


def test_what_does_not_wait_for_its_devices_has_no_result(ahead: Make) -> None:
    one = ahead("no wait")
    one.start()
    end = one.end()
    assert (end.code, end.reason, end.outputs) == (0, "unused", {})


def test_one_that_is_given_devices_while_it_ends_pays_for_them(ahead: Make) -> None:
    """Whoever comes first to go.json decides: here the scheduler, before the shim looks."""
    one = ahead("die")
    given = go(one, devices=("GPU-7",))
    one.start()
    end = one.end()
    assert (end.code, end.reason) == (3, "failed")
    assert end.started_ms == given.at_ms


def test_devices_that_nobody_can_read_are_none(ahead: Make) -> None:
    one = ready(ahead())
    one.directory.go.write_text("{}")
    assert one.end().reason == "unused"
