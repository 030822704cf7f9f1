"""What executors see and what jobs write becomes events.

Lines of an attempt that is over, or that carry another fence than the attempt has, are void: an
engine may have left an old process running.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping

from orchestrator.events import events as e
from orchestrator.executors.base import AttemptSight, Observation
from orchestrator.resuming.unfinished import SIGKILLED, UNSAVED
from orchestrator.scheduler import inputs as i
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState, State, run_of
from skint.attempt import EXIT_UNSAVED, Exit
from skint.errors import USAGE
from skint.watch import SIGNALLED

_OUTCOMES: Mapping[str, e.AttemptOutcome] = {
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "deadline": "deadline",
    "killed": "killed",
    "unused": "unused",
}


_OF_WORKERS = {
    USAGE: "user-mistake",
    EXIT_UNSAVED: UNSAVED,
    SIGNALLED + signal.SIGKILL: SIGKILLED,
}


def from_lines(state: State, lines: tuple[i.Line, ...], now_ms: int) -> Iterator[e.Event]:
    """Events of the lines that count; of progress lines only the newest of each attempt.

    The way to a machine far off may bring a line twice: the same report counts once.
    """
    newest = {line.attempt: line for line in lines if line.kind == "progress"}
    told: list[i.Line] = []
    known_ms: set[int] = set()
    attempt: AttemptState | None = None
    name = run = ""
    for line in lines:
        if line.attempt != name:  # those of one attempt stand together
            name, run = line.attempt, run_of(line.attempt)
            attempt = state.attempt(name)
            known_ms = {report["at_ms"] for report in attempt.reports} if attempt else set()
        if attempt is None or not attempt.live or attempt.fence != line.fence:
            continue
        if line.kind == "report":
            report = {**line.data["values"], "at_ms": line.at_ms}
            if line in told or (line.at_ms in known_ms and report in attempt.reports):
                continue
            told.append(line)
        if line.kind == "progress" and newest[line.attempt] is not line:
            continue
        event = _from_line(line, run, now_ms)
        if event is not None:
            yield event


def _from_line(line: i.Line, run: str, now_ms: int) -> e.Event | None:
    data, name = line.data, line.attempt
    match line.kind:
        case "progress":
            done, total = float(data["done"]), float(data["total"])
            return e.ProgressMade(
                at_ms=now_ms, run=run, attempt=name, done=done, total=total, told_ms=line.at_ms
            )
        case "report":
            return e.MetricsReported(
                at_ms=now_ms, run=run, attempt=name, reported_ms=line.at_ms, values=data["values"]
            )
        case "note":
            return e.NoteWritten(at_ms=now_ms, run=run, attempt=name, text=data["text"])
        case "stage":
            return e.StageEntered(
                at_ms=now_ms, run=run, attempt=name, name=data["name"], entered_ms=line.at_ms
            )
        case "checkpoint":
            return e.CheckpointKept(
                at_ms=now_ms,
                run=run,
                attempt=name,
                path=data["path"],
                epoch=data["epoch"],
                step=data["step"],
                kept_ms=line.at_ms,
            )
        case "error":
            keys = ("what", "where", "got", "wanted", "next")
            parts = {key: str(data[key]) for key in keys if key == "what" or data.get(key)}
            return e.ErrorReported(at_ms=now_ms, run=run, attempt=name, **parts)
    return None


def starts(run: RunState, submission: str, seen: Observation, now_ms: int) -> Iterator[e.Event]:
    """What an observation tells of beginnings: reached or not, accepted, started."""
    allocation = run.allocations.get(submission)
    started_ms = seen.started_ms
    reserved = allocation is not None and allocation.status == "reserved"
    if seen.condition != "unknown" and started_ms is not None and reserved:
        yield e.AllocationStarted(
            at_ms=now_ms, run=run.name, allocation=submission, start_ms=started_ms
        )
    for attempt in _attempts(run, submission):
        if attempt.live and seen.condition == "unknown":
            if not attempt.unreachable:
                text = f"no answer about {attempt.id}: {seen.reason}; waiting, nothing is assumed"
                yield e.AttemptUnreachable(
                    at_ms=now_ms, run=run.name, attempt=attempt.id, sentence=text
                )
        elif attempt.live:
            yield from _start(run.name, attempt, seen, now_ms)


def _start(run: str, attempt: AttemptState, seen: Observation, now_ms: int) -> Iterator[e.Event]:
    if attempt.unreachable:
        yield e.AttemptReached(at_ms=now_ms, run=run, attempt=attempt.id)
    arrived = seen.condition in ("pending", "running") and not is_absent(seen, attempt.id)
    if attempt.status == "planned" and arrived:
        yield e.AttemptAccepted(at_ms=now_ms, run=run, attempt=attempt.id)
    started_ms = _sight(attempt, seen).started_ms
    if started_ms is not None and attempt.status != "running":
        yield e.AttemptStarted(at_ms=now_ms, run=run, attempt=attempt.id, started_ms=started_ms)


def ends(run: RunState, submission: str, seen: Observation, now_ms: int) -> Iterator[e.Event]:
    """What an observation tells of ends. The last lines of an attempt come before its end."""
    if seen.condition == "unknown":
        return
    attempts = _attempts(run, submission)
    if seen.condition == "absent":
        if all(attempt.started_ms is None for attempt in attempts):
            return  # it never arrived: it is submitted again
        # It did run, so its engine has forgotten it, or somebody has removed its folder.
        seen = Observation("lost", "it ran, and nothing is known of it any more")
    ended = [end for a in attempts if a.live and (end := _end(run, a, seen, now_ms))]
    yield from ended
    allocation = run.allocations.get(submission)
    over = sum(not attempt.live for attempt in attempts) + len(ended)
    if allocation and allocation.status in ("reserved", "running") and over == len(attempts):
        last = {event.attempt: event for event in ended}
        yield from _allocation_over(run, allocation, seen, last, now_ms)


def _attempts(run: RunState, submission: str) -> list[AttemptState]:
    allocation = run.allocations.get(submission)
    return [run.attempts[name] for name in (allocation.attempts if allocation else (submission,))]


def _sight(attempt: AttemptState, seen: Observation) -> AttemptSight:
    sight = seen.attempts.get(attempt.id)
    if sight is None:
        return AttemptSight("lost" if seen.condition in ("ended", "lost") else "pending")
    return sight


def is_absent(seen: Observation, attempt: str) -> bool:
    """Whether that attempt is not there; others of its submission may be."""
    own = seen.attempts.get(attempt)
    return (seen if own is None else own).condition == "absent"


def _end(
    run: RunState, attempt: AttemptState, seen: Observation, now_ms: int
) -> e.AttemptEnded | None:
    sight = _sight(attempt, seen)
    if sight.condition == "ended" and sight.exit is not None:
        exit = sight.exit
        return e.AttemptEnded(
            at_ms=now_ms,
            run=run.name,
            attempt=attempt.id,
            outcome=_OUTCOMES.get(exit.reason, "failed"),
            code=exit.code,
            reason=_reason(run, attempt, exit),
            sentence=_how_it_ended(attempt, exit.reason, exit.code),
            started_ms=_began_ms(attempt.started_ms, exit.started_ms, exit.ended_ms),
            ended_ms=exit.ended_ms,
            digest=exit.digest,
        )
    vanished = sight.condition == "absent" and attempt.started_ms is not None
    if sight.condition == "lost" or vanished:
        return e.AttemptEnded(
            at_ms=now_ms,
            run=run.name,
            attempt=attempt.id,
            outcome="lost",
            code=None,
            reason="lost",
            sentence=seen.reason or "its processes are gone and it left no exit record",
            started_ms=_began_ms(attempt.started_ms, sight.started_ms, None),
            ended_ms=sight.lost_ms,
        )
    return None


def _reason(run: RunState, attempt: AttemptState, exit: Exit) -> str:
    """Of a worker, 2 means what only a person can mend; of somebody's own program, anything."""
    if run.graph.job(attempt.job).argv or exit.reason != "failed":
        return exit.reason
    return _OF_WORKERS.get(exit.code, exit.reason)


def _how_it_ended(attempt: AttemptState, reason: str, code: int) -> str:
    if attempt.error and attempt.error["what"]:
        where = attempt.error.get("where")
        return f"{where}: {attempt.error['what']}" if where else attempt.error["what"]
    if reason == "failed":
        return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
    known = {"done": "", "deadline": "its limit was over", "unused": "what stood by had ended"}
    return known.get(reason, reason)


def _allocation_over(
    run: RunState,
    allocation: AllocationState,
    seen: Observation,
    ended: Mapping[str, e.AttemptEnded],
    now_ms: int,
) -> Iterator[e.Event]:
    """Its charge: measured where the end is proved, in full where it is not.

    Of a lost one only the latest possible end is known; its charge is no more than the whole.
    """
    measured_ms = seen.ended_ms if seen.condition == "ended" else None
    start_ms = _began_ms(allocation.start_ms, seen.started_ms, measured_ms)
    if start_ms is None and seen.condition == "ended":
        return  # never started: `endings` releases it
    estimated = seen.ended_ms is None or start_ms is None
    if start_ms is None:
        start_ms = allocation.reserved_at_ms or now_ms
    whole_ms = start_ms + allocation.wall_ms
    end_ms = whole_ms if seen.ended_ms is None else max(start_ms, seen.ended_ms)
    # The same of one that was kept from starting, as its record says, although it had started.
    only_latest = seen.condition == "lost" or start_ms != seen.started_ms
    if only_latest and end_ms >= whole_ms:
        end_ms, estimated = whole_ms, True
    facts = {name: ended.get(name) or run.attempts[name] for name in allocation.attempts}
    shares = {name: _weight_ms(fact, end_ms) for name, fact in facts.items()}
    if allocation.together:
        # What one device was kept for after its own attempt, the one that ended last kept it for.
        last = max(shares, key=lambda name: facts[name].ended_ms or end_ms)
        shares[last] += max(0, (end_ms - start_ms) * len(shares) - sum(shares.values()))
    yield e.AllocationEnded(
        at_ms=now_ms,
        run=run.name,
        allocation=allocation.id,
        start_ms=start_ms,
        end_ms=end_ms,
        shares=shares,
        estimated=estimated,
    )


def _weight_ms(fact: e.AttemptEnded | AttemptState, end_ms: int) -> int:
    """How long an attempt ran; one whose end nobody knows, to the end of the allocation."""
    if fact.started_ms is None:
        return 0
    return max(0, (end_ms if fact.ended_ms is None else fact.ended_ms) - fact.started_ms)


def _began_ms(known_ms: int | None, seen_ms: int | None, ended_ms: int | None) -> int | None:
    """The earlier one of the start known before and the start seen now.

    A record that measures some time is exact: what was known before it is the start of its shim.
    """
    if known_ms is None or seen_ms is None:
        return known_ms if seen_ms is None else seen_ms
    return seen_ms if ended_ms is not None and ended_ms > seen_ms else min(known_ms, seen_ms)
