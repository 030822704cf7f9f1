"""What was said in quiet hours, in one message at their end. Pure.

It is read off the state, so a later one of the same hours says what the earlier ones did; in the
outbox, where it waits for the end, the newest takes the place of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from notifiers.base import Notice
from notifiers.quiet_hours import local_time
from orchestrator.events.verdict import VerdictGiven
from orchestrator.state.questions import answer_to, open_questions
from orchestrator.state.state import RunState, State
from orchestrator.views.run.view import run_view
from orchestrator.words.decisions import Decisions, doers
from orchestrator.words.headline import came_to, result
from orchestrator.words.notifying import places
from orchestrator.words.place import Place, for_place, quiet_until_ms


def digest(state: State, place: Place, said: Sequence[Notice]) -> Notice | None:
    """For `said`, which a place was just told; None where nothing of it was hushed."""
    hushed = [
        notice
        for notice in said
        if notice.about in ("decision", "trouble", "end")
        and notice.topic != "head"
        and not notice.edits
        and quiet_until_ms(notice, place) is not None
    ]
    if not hushed or place.manner.quiet is None:
        return None
    at_ms = hushed[-1].at_ms
    around = place.manner.quiet.around(at_ms)
    if around is None:
        return None
    start_ms, end_ms = around
    told = {run.name: [*_lines(run, state, place, start_ms)] for run in state.runs.values()}
    lines = [line for of_run in told.values() for line in of_run]
    persons = [one for name, of_run in told.items() if of_run for one in doers(state.runs[name])]
    end = local_time(end_ms, place.manner.zone)
    notice = Notice(
        run=f"quiet hours to {end:%Y-%m-%d %H:%M}",
        topic="head",
        key=f"{place.name}/digest/{end_ms}/{at_ms}/{hushed[-1].key}",
        title=_count(state, told, start_ms) or "what happened meanwhile",
        lines=tuple(lines) or tuple(one.headline for one in hushed),
        persons=tuple(dict.fromkeys(persons)),
        at_ms=at_ms,
        final=True,
        not_before_ms=end_ms,
    )
    return for_place(notice, place)


def _count(state: State, told: Mapping[str, Sequence[str]], start_ms: int) -> str:
    """ "2 runs ended, 1 question waits"."""
    runs = [state.runs[name] for name, lines in told.items() if lines]
    over = sum(run.ended_ms is not None and run.ended_ms >= start_ms for run in runs)
    waits = sum(len(open_questions(run)) for run in runs)
    return ", ".join(
        [
            *([f"{over} run{'s' if over != 1 else ''} ended"] if over else []),
            *([f"{waits} question{'s wait' if waits != 1 else ' waits'}"] if waits else []),
        ]
    )


def _lines(run: RunState, state: State, place: Place, start_ms: int) -> Iterator[str]:
    if place.name not in places(run.graph):
        return
    level, zone = place.manner.level, place.manner.zone
    over = run.ended_ms is not None and run.ended_ms >= start_ms
    asked = [v for v in run.verdicts if v.at_ms >= start_ms and v.action != "warn"]
    failed = [
        attempt
        for attempt in run.attempts.values()
        if attempt.outcome == "failed" and (attempt.ended_ms or 0) >= start_ms
    ]
    if not (over or (level != "end" and (asked or failed))):
        return
    view = run_view(run, run.ended_ms or start_ms, state.runs)
    broken: dict[str, None] = {}
    if level != "end":
        for one in asked:
            what = Decisions(run, view, one.at_ms, zone).what(one.scope, one.target)
            yield f"{run.name}: {what}: {one.sentence}; {_outcome(run, one)}"
        broken = dict.fromkeys(view.row(attempt.job).title for attempt in failed)
    if over:
        said = result(view) if run.outcome == "done" else ""
        said = " · ".join([str(run.outcome), said or came_to(run, view)])
        first = [title for title in broken if run.outcome == "failed"][:1]
        yield f"{run.name}: {'; '.join([said, *(f'{title} failed' for title in first)])}"
    elif broken:
        yield f"{run.name}: {', '.join(broken)} failed"


def _outcome(run: RunState, said: VerdictGiven) -> str:
    answer = answer_to(run, said)
    if answer is not None and answer.answer == "let-run":
        return "goes on"
    if said.action == "ask" and answer is None:
        return "waits for an answer"
    return "was parked" if "park" in (said.action, said.would) else "was stopped"
