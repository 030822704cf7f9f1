"""Every key of the main screen: what it does, and why it does nothing at the moment. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.commands import RetryJobs
from orchestrator.dashboard.jobs.rows import TableLine
from orchestrator.dashboard.questions.question import (
    Question,
    abort_question,
    asked_of,
    cancel_question,
    pause_question,
)
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.events.verdict import StopScope, VerdictGiven
from orchestrator.resuming.resumption import stopped
from orchestrator.state.questions import jobs_meant, open_questions
from orchestrator.state.state import RunState

READ_ONLY = "this screen is read-only"
NOTHING = "nothing is selected: submit a plan first, or end the filter with Esc"


@dataclass(frozen=True)
class Key:
    key: str
    """As Textual calls it; several are separated by commas."""
    shown: str
    action: str
    short: str
    """For the line of keys."""
    does: str
    group: str
    changes: bool = False
    """It changes something outside this screen."""


JOBS, LOOK, LIST, REST = "Runs and folds", "Look closer", "The list", "This screen"
KEYS = (
    Key("c", "c", "cancel", "Cancel run", "stop the run; checkpoints are kept", JOBS, True),
    Key("a", "a", "abort", "Abort fold", "stop one fold or job, the others go on", JOBS, True),
    Key("p", "p", "pause", "Pause", "park it losslessly until r", JOBS, True),
    Key("r", "r", "resume", "Resume", "go on with what was paused or stopped", JOBS, True),
    Key("t", "t", "retry", "Retry", "have what failed or was aborted tried anew", JOBS, True),
    Key("v", "v", "verdict", "Answer", "answer what a stop rule asks", JOBS, True),
    Key("u", "u", "undo", "Undo", "take back what has not been sent yet", JOBS, True),
    Key("h", "h", "hold", "Hold", "start no new jobs, or release that", JOBS, True),
    Key("enter", "⏎", "detail", "Detail", "curves of all folds, log, recipe", LOOK),
    Key("b", "b", "burn_down", "Burn-down", "how the hours go down", LOOK),
    Key("l", "l", "log", "Log", "the end of the job's log", LOOK),
    Key("e", "e", "events", "Events", "all that has happened, in full width", LOOK),
    Key("o", "o", "report", "Report", "write the report of the run and open it", LOOK),
    Key("slash", "/", "filter", "Filter", "by run, model, state or account", LIST),
    Key("s", "s", "sort", "Sort", "by age, state, hours, time to go, score, name", LIST),
    Key("S", "S", "turn", "Turn", "turn the order round", LIST),
    Key("space", "space", "mark", "Mark", "mark a line; keys then mean all marked ones", LIST),
    Key("escape", "Esc", "clear", "Clear", "end the filter, take the marks away", LIST),
    Key("g", "g", "start", "Start scheduler", "start the scheduler in the background", REST, True),
    Key("question_mark", "?", "help", "Help", "these keys", REST),
    Key("ctrl+p", "^p", "command_palette", "Palette", "all of it by name", REST),
    Key("q", "q", "quit", "Quit", "leave; runs go on", REST),
)
BY_ACTION = {key.action: key for key in KEYS}
MOVES = "↑ ↓ PgUp PgDn Home End move · ← → fold and unfold a run · the mouse selects and opens"


@dataclass(frozen=True)
class Situation:
    """What a key would be about."""

    screen: Screen
    lines: Sequence[TableLine] = ()
    """The marked lines, else the one under the cursor."""
    read_only: bool = False
    undoable: bool = False
    """Something waits to be sent."""
    arranged: bool = False
    """There are marks, or a filter."""

    @property
    def targets(self) -> tuple[tuple[RunState, str], ...]:
        """The run and the job of each line; the job is empty for the run itself."""
        runs = self.screen.state.runs
        return tuple((runs[one.run], one.job) for one in self.lines if one.run in runs)


def why_not(action: str, now: Situation) -> str:
    """Why the key does nothing at the moment; empty where it does something."""
    if now.read_only and BY_ACTION[action].changes:
        return READ_ONLY
    about = {
        "cancel": _cancel,
        "abort": _abort,
        "pause": _pause,
        "resume": _resume,
        "retry": _retry,
        "verdict": _verdict,
    }.get(action)
    if about is not None:
        return about(now) if now.targets or action == "verdict" else NOTHING
    if action in ("detail", "report", "mark", "log") and not now.targets:
        return NOTHING
    if action == "log" and not now.targets[0][1]:
        return "move to a fold first: each has a log of its own"
    if action == "undo" and not now.undoable:
        return "nothing waits to be sent: what was sent is undone with r"
    if action == "clear" and not now.arranged:
        return "there are no marks and no filter"
    if action == "start" and now.screen.scheduler_pid is not None:
        return f"a scheduler runs already (pid {now.screen.scheduler_pid})"
    if action == "burn_down" and not now.screen.accounts:
        return "there is no account yet"
    return ""


def hints(now: Situation) -> tuple[Key, ...]:
    """The keys that do something to the selected line, what matters most first."""
    if not now.targets:
        first = ["start"] if why_not("start", now) == "" else []
        return tuple(BY_ACTION[name] for name in (*first, "help", "command_palette", "quit"))
    jobs = [name for name in ("verdict", "undo") if not why_not(name, now)]
    jobs += [] if now.screen.scheduler_pid is not None else ["start"]
    jobs += ["cancel", "abort", "pause", "resume", "retry"]
    look = ["detail", "filter", "help", "quit", "mark", "sort", "burn_down", "events", "log"]
    held = bool(now.screen.state.holds)
    names = (*jobs, *(["hold"] if held else []), *look, "report", *([] if held else ["hold"]))
    found = [BY_ACTION[name] for name in names if not why_not(name, now)]
    return tuple(
        replace(key, short="Release") if key.action == "hold" and held else key for key in found
    )


def questions_of(screen: Screen) -> tuple[tuple[RunState, VerdictGiven], ...]:
    """Each question that waits for an answer, the one whose time is over first standing first."""
    found = [(run, asked) for run in screen.live for asked in open_questions(run)]
    return tuple(sorted(found, key=lambda one: one[1].until_ms or 0))


def target_of(run: RunState, job: str) -> tuple[StopScope, str]:
    """How a command names it."""
    return ("attempt", job) if job else ("run", run.name)


def _cancel(now: Situation) -> str:
    return _why(lambda run, job: cancel_question(run, now.screen.now_ms), now.targets)


def _abort(now: Situation) -> str:
    jobs = [(run, job) for run, job in now.targets if job]
    if not jobs:
        return "move to a fold first: a stops one, c cancels the whole run"
    return _why(lambda run, job: abort_question(run, job, now.screen.now_ms), jobs)


def _pause(now: Situation) -> str:
    return _why(lambda run, job: pause_question(run, job, now.screen.now_ms), now.targets)


def _why(ask: Callable[[RunState, str], Question], targets: Iterable[tuple[RunState, str]]) -> str:
    try:
        asked_of(ask, targets)
    except ValueError as error:
        return str(error)
    return ""


def _resume(now: Situation) -> str:
    if any(_may_resume(run, job) for run, job in now.targets):
        return ""
    return "nothing of it was paused or stopped"


def _may_resume(run: RunState, job: str) -> bool:
    scope, target = target_of(run, job)
    paused = any(run.jobs[one.id].paused for one in jobs_meant(run.graph, scope, target))
    return paused or bool(stopped(run, scope, target))


def _retry(now: Situation) -> str:
    if any(_may_retry(run, job) for run, job in now.targets):
        return ""
    if any(_may_resume(run, job) for run, job in now.targets):
        return "nothing of it failed or was aborted by a person: r goes on with what was stopped"
    return "nothing of it failed or was aborted"


def _may_retry(run: RunState, job: str) -> bool:
    scope, target = target_of(run, job)
    meant = jobs_meant(run.graph, scope, target)
    if not any(run.jobs[one.id].status in ("failed", "stopped", "skipped") for one in meant):
        return False
    from orchestrator.scheduler.obeying.retrying import (
        to_retry,  # not before there is something to ask
    )

    return any(to_retry(run, RetryJobs(run=run.name, scope=scope, target=target)))


def _verdict(now: Situation) -> str:
    return "" if questions_of(now.screen) else "no stop rule asks anything now"
