"""What to say of a plan whose results are all there: whose they are, and how to ask again."""

from __future__ import annotations

from orchestrator.state import State
from orchestrator.submitting import Prepared
from orchestrator.views.before import before_of, sentence


def known_already(prepared: Prepared, state: State) -> str:
    """The earlier results with what they came to, what they cost and their keys; nothing is
    submitted."""
    found = before_of(prepared.expected, state)
    lines = [f"this was run before: {sentence(before)}" for before in found]
    see = f" · see it with `skint show {found[0].run}`" if found else ""
    lines.append(f"nothing submitted · run it again with --again{see}")
    return "\n".join(lines)
