"""From the words after `plan`, `submit` and `run` to what a plan would do, and what is known."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from budget.ledger import Ledger
from orchestrator.home import Home
from orchestrator.plans.picture_sizes import OtherSize, other_sizes
from orchestrator.settings import read_settings
from orchestrator.state.state import State
from orchestrator.submitting.prepare import Prepared, prepare
from orchestrator.views.baselines import lines as lines_of
from orchestrator.views.before import before_of, partly, sentence
from skint.errors import SkintError


def prepared_of(
    arguments: argparse.Namespace, home: Home, state: State, ledger: Ledger, now_ms: int
) -> Prepared:
    """What the words of `add_plan_arguments` come to. Raises PlanError, and what `prepare` does."""
    prepared = prepare(
        arguments.file,
        state,
        ledger,
        now_ms,
        sets=arguments.sets,
        account=arguments.account,
        cpu_only=arguments.cpu_only,
        again=arguments.again,
        folds=arguments.folds,
        remembered=home.parsed,
        kept=home.checked,
        keys=home.keys,
        settings=read_settings(home.path),
    )
    for other in other_sizes(prepared.graph):
        raise _size_error(arguments, other)
    return prepared


def _size_error(arguments: argparse.Namespace, other: OtherSize) -> SkintError:
    from orchestrator.plans.plan import load_plan  # only for a mistake

    given, trained = (
        f"{', '.join(map(str, sides_px))} px" for sides_px in (other.given_px, other.trained_px)
    )
    return load_plan(arguments.file, arguments.sets, arguments.account).error(
        ("jobs", other.given),
        f"{other.predict} would fail when all is trained: its networks know another size",
        got=f"pictures of {given} from {other.given}; {other.trained} trains with {trained}",
        wanted=f"the `size` of {other.trained}",
        next=f"--set {other.given}.size={other.trained_px[-1]}, or change both",
    )


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
