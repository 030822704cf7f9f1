"""What to say of a plan whose results are all there: whose they are, and how to ask again."""

from __future__ import annotations

from budget.instant import format_instant
from orchestrator.state import State
from orchestrator.submitting import Prepared
from orchestrator.views.figures import amount, mean_and_spread
from orchestrator.views.view import run_view


def known_already(prepared: Prepared, state: State) -> str:
    """The earlier result with its key; nothing is submitted."""
    paid = [e for e in prepared.expected if e.job.devices] or list(prepared.expected)
    sources = dict.fromkeys(e.result.run for e in paid if e.result)
    lines = []
    for name in sources:
        run = state.runs[name]
        view = run_view(run, run.ended_ms or run.submitted_ms, state.runs)
        parts = [format_instant(run.submitted_ms, "UTC")]
        if view.mean is not None:
            parts.append(f"{view.metric} {mean_and_spread(view.mean, view.spread)}")
        if view.charged_ms:
            parts.append(f"{amount(view.charged_ms, view.amounts_in)} charged")
        keys = [e.key[:8] for e in paid if e.key and e.result and e.result.run == name]
        shown = f"{keys[0]}…" if len(keys) == 1 else f"{keys[0]}… and {len(keys) - 1} more"
        lines.append(f"this was run before: {name}, {', '.join(parts)} (key {shown})")
    lines.append("nothing submitted · run it again with --again · see it with `skint show RUN`")
    return "\n".join(lines)
