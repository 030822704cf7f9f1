"""What stop rules ask, as lines above everything else: time runs. Pure."""

from __future__ import annotations

from budget.duration import format_clock
from orchestrator.dashboard.ink import Line, Piece, fitted, headed, justified
from orchestrator.dashboard.keys import questions_of
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.events.verdict import VerdictGiven
from orchestrator.state.state import RunState

MOST = 3


def question_lines(screen: Screen, now_ms: int, width: int, *, read_only: bool) -> tuple[Line, ...]:
    """Nothing where no rule waits for an answer."""
    found = questions_of(screen)
    if not found:
        return ()
    lines: list[Line] = []
    for run, asked in found[:MOST]:
        lines.append(_line(run, asked, now_ms, width))
    if len(found) > MOST:
        lines.append(fitted(((f"   and {len(found) - MOST} questions more", "dim"),), width))
    answers = "v answers" if not read_only else ""
    return (headed("A stop rule asks", width, answers, active=True), *lines)


def line_of(screen: Screen, name: str, width: int, *, read_only: bool) -> Line:
    """The most urgent question about one run; empty where there is none."""
    for run, asked in questions_of(screen):
        if run.name == name:
            return _line(run, asked, screen.now_ms, width, "" if read_only else " · v answers")
    return ()


def _line(run: RunState, asked: VerdictGiven, now_ms: int, width: int, more: str = "") -> Line:
    left = format_clock(max(0, (asked.until_ms or now_ms) - now_ms))
    would = "stops" if asked.would == "stop" else "parks"
    then = f"goes on in {left}" if asked.default == "let-run" else f"{would} in {left}"
    pieces: list[Piece] = [(" ? ", "bold attention"), (f"{run.name} {asked.target} ", "bold")]
    pieces.append((f"{asked.sentence}", ""))
    return justified(pieces, ((f"{then}{more} ", "bold attention"),), width)
