"""Work of an earlier run that was interrupted goes on in the next: real processes, real files."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from orchestrator.state.state import State
from tests.orchestrator.homes import LivingHome

GOES_ON = """
if [ -n "$SKINT_PREVIOUS" ]; then mv "$SKINT_PREVIOUS/part" "$SKINT_OUT/it"; exit 0; fi
echo half > "$SKINT_OUT/part"
say 1
while :; do sleep 0.05; done
"""


def has_reported(state: State) -> bool:
    run = state.runs.get("small-1")
    return run is not None and any(attempt.reports for attempt in run.attempts.values())


@pytest.mark.parametrize("how", ["cancelled", "killed"])
def test_the_next_run_is_handed_what_an_interrupted_one_left(how: str, living: LivingHome) -> None:
    packed = living.job("packed", GOES_ON, resumes=True)
    living.begin()
    living.submit(packed, run="small-1")
    state = living.until(has_reported)
    before = Path(state.runs["small-1"].attempts["small-1.packed.1"].folder)
    if how == "cancelled":
        living.stop("small-1")
    else:  # as by a machine that went down: nobody writes an exit record
        shim = json.loads((before / "handle.json").read_text())["pid"]
        os.kill(shim, signal.SIGKILL)
    assert living.until_settled("small-1").outcome in ("cancelled", "failed")
    living.submit(packed, run="small-2")
    run = living.until_settled("small-2")
    assert run.outcome == "done"
    assert run.attempts["small-2.packed.1"].previous == str(before / "out")
    assert Path(run.jobs["packed"].out, "it").read_text() == "half\n"
    assert [*(before / "out").iterdir()] == []
    assert living.store.replayed() == living.store.state()
