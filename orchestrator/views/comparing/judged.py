"""What to know of a plan before it runs: what of it was paid for already, and what it will be
compared with. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.state.state import State
from orchestrator.submitting.judging import Prepared
from orchestrator.views.comparing.baselines import lines as lines_of
from orchestrator.views.comparing.before import before_of, partly, sentence


def known_lines(prepared: Prepared, state: State) -> Iterator[str]:
    """What was paid for before and is not paid for again."""
    found = before_of(prepared.expected, state)
    if prepared.all_known:
        yield "everything in it is known already; run it again with --again"
        yield from (f"{'run before':<21} {sentence(before)}" for before in found)
        return
    costly = sum(one.job.devices > 0 for one in prepared.expected)
    if costly:
        yield from (f"{'known already':<21} {partly(before, costly)}" for before in found)


def baseline_lines(prepared: Prepared) -> list[str]:
    """What the groups of folds that would run are compared with, or why with nothing."""
    runs = {e.job.cell for e in prepared.expected if e.what == "runs"}
    compared = {name: found for name, found in prepared.compared.items() if name in runs}
    return [f"{head}: {sentence}" for head, sentence in lines_of(compared)]
