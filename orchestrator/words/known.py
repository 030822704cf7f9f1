"""What to say of a plan whose results are all there: whose they are, and how to ask again."""

from __future__ import annotations

from orchestrator.state.state import State
from orchestrator.submitting.judging import Prepared
from orchestrator.views.comparing.before import before_of, sentence


def known_already(prepared: Prepared, state: State) -> str:
    """The earlier results with what they came to, what they cost and their keys; nothing is
    submitted."""
    found = before_of(prepared.expected, state)
    jobs = sum(len(before.jobs) for before in found)
    parts = [f"{len(one.jobs)} of {jobs} jobs in " if len(found) > 1 else "" for one in found]
    lines = [
        f"this was run before: {part}{sentence(before)}"
        for part, before in zip(parts, found, strict=True)
    ]
    see = f" · see it with `skint show {found[0].run}`" if found else ""
    lines.append(f"nothing submitted · run it again with --again{see}")
    return "\n".join(lines)
