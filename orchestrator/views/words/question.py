"""What a stop rule asks, in words. Pure."""

from __future__ import annotations

from budget.duration import format_clock
from orchestrator.state.questions import open_questions
from orchestrator.state.state import RunState

_WOULD = {"stop": "it is stopped", "park": "it is parked"}


def question_lines(run: RunState, now_ms: int) -> list[str]:
    """ "chance asks about train: … · without an answer it is stopped in 9 min 30 s"; with how to
    answer it."""
    lines = []
    for asked in open_questions(run):
        left_ms = max(0, (asked.until_ms or now_ms) - now_ms)
        then = "it goes on" if asked.default == "let-run" else _WOULD[asked.would]
        lines.append(
            f"{asked.rule} asks about {asked.target}: {asked.sentence}"
            f" · without an answer {then} in {format_clock(left_ms)}"
            f" · skint answer {run.name} --stop, or --let-run"
        )
    return lines
