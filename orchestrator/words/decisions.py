"""What stop rules say, what is answered, and what of it is undone: words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from budget.instant import format_instant
from notifiers.base import Notice
from notifiers.quiet_hours import local_time
from orchestrator.events import events as e
from orchestrator.graph import Job
from orchestrator.state.questions import answer_to, jobs_meant, open_questions, verdict_of
from orchestrator.state.state import RunState, job_of
from orchestrator.views.budget.charges import freed_ms
from orchestrator.views.figures import amount
from orchestrator.views.run.view import RunView
from orchestrator.views.words.persons import by_whom, persons_of
from orchestrator.views.words.undo import resume_command
from orchestrator.words import buttons


def doers(run: RunState) -> tuple[str, ...]:
    """Ids of the persons on Slack who have stopped, answered or resumed something of the run."""
    by = [one.by for one in run.stops] + [one.by for one in run.answers]
    return persons_of(*by, *(one.by for one in run.resumptions))


def why(stop: e.StopAsked) -> str:
    """Why something was stopped, and who asked for it."""
    if stop.by.startswith("rule "):
        return f"{stop.by}: {stop.sentence}"
    if stop.by in stop.sentence:
        return stop.sentence.replace(f"by {stop.by}", f"by {by_whom(stop.by)}")
    return f"{stop.sentence}; answered by {by_whom(stop.by)}"


@dataclass(frozen=True)
class Decisions:
    """The words for decisions about one run, with the times on the clock of `zone`."""

    run: RunState
    view: RunView
    at_ms: int
    zone: str

    def verdict(self, event: e.VerdictGiven) -> Notice:
        """What a rule does or says; a question with its default, and when that comes to pass."""
        if event.action == "ask":
            return self._question(event)
        verb = {"stop": "stopping ", "park": "parking "}.get(event.action, "warning about ")
        stops = event.action == "stop" or (event.action == "park" and event.scope == "attempt")
        if event.action == "park" and not stops:
            verb = ""  # nothing of it has begun: it waits, as the sentence says
        return Notice(
            run=self.run.name,
            topic="alert",
            key=self._key(event),
            title=f"{verb}{self.what(event.scope, event.target)}: {event.sentence}",
            lines=_lines(self._rule(event, stops)),
            about="trouble",
            at_ms=self.at_ms,
        )

    def _question(self, asked: e.VerdictGiven) -> Notice:
        jobs = self.jobs(asked.scope, asked.target)
        return Notice(
            run=self.run.name,
            topic="alert",
            key=self._key(asked),
            title=self._question_title(asked),
            lines=_lines(self._default(asked), self._rule(asked)),
            buttons=buttons.of_question(self.run, self.view, asked, jobs, self.at_ms),
            typed=self._typed(asked),
            about="decision",
            at_ms=self.at_ms,
        )

    def _question_title(self, asked: e.VerdictGiven) -> str:
        verb = "park" if asked.would == "park" else "stop"
        return f"{verb} {self.what(asked.scope, asked.target)}? {asked.sentence}"

    def _rule(self, said: e.VerdictGiven, stops: bool = True) -> str:
        freed = self.freed(said.scope, said.target) if stops else ""
        return " · ".join(_lines(f"rule {said.rule}", freed))

    def _default(self, asked: e.VerdictGiven) -> str:
        verb = "parked" if asked.would == "park" else "stopped"
        what = "it goes on" if asked.default == "let-run" else f"it is {verb}"
        if asked.until_ms is None:
            return f"until somebody answers {what}"
        return f"if nobody answers by {self.clock(asked.until_ms)}, {what}"

    def _typed(self, asked: e.VerdictGiven) -> tuple[str, ...]:
        words = f"skint answer {self.run.name}"
        if len(open_questions(self.run)) > 1:
            words += f" --rule {asked.rule} --about {asked.target}"
        return (f"answer with `{words} --stop` or `… --let-run`",)

    def answered(self, event: e.VerdictAnswered) -> list[Notice]:
        """In place of the question, without buttons, and in the thread."""
        asked = verdict_of(self.run, event)
        what = self.what(asked.scope, asked.target) if asked else event.target
        title = f"{what} {self._outcome(event, asked)}"
        number = self.run.answers.index(event) + 1
        key = f"{self.run.name}/answer/{number}"
        found = [
            Notice(
                run=self.run.name,
                topic="reply",
                key=key,
                title=title,
                lines=_lines(*self._by_answer(event, asked)),
                persons=persons_of(event.by),
                about="decision",
                at_ms=self.at_ms,
            )
        ]
        if asked is not None and asked.action == "ask":
            found.append(
                Notice(
                    run=self.run.name,
                    topic="reply",
                    key=f"{key}/edit",
                    title=self._question_title(asked),
                    lines=(f"rule {asked.rule}", f"answered: {title}"),
                    edits=self._key(asked),
                    persons=persons_of(event.by),
                    about="decision",
                    at_ms=self.at_ms,
                )
            )
        return found

    def _by_answer(self, event: e.VerdictAnswered, asked: e.VerdictGiven | None) -> tuple[str, ...]:
        """What follows from it: the stop that it asks for is not told by itself."""
        if asked is None or event.answer != "stop":
            return (f"rule {event.rule}",)
        jobs = self.jobs(asked.scope, asked.target)
        kept = "checkpoints are kept" if buttons.keeps_checkpoints(self.run, jobs) else ""
        return self._rule(asked), kept

    def is_answer(self, stop: e.StopAsked) -> bool:
        """Whether it follows from an answer, which is told."""
        answers = ((one.at_ms, one.by) for one in self.run.answers if one.answer == "stop")
        return (stop.at_ms, stop.by) in answers

    def _outcome(self, event: e.VerdictAnswered, asked: e.VerdictGiven | None) -> str:
        when = self.clock(event.at_ms)
        if event.answer == "let-run":
            did = "goes on"
        else:
            did = "is parked" if asked is not None and asked.would == "park" else "is stopped"
        if event.by == "time-out":
            return f"{did}: nobody answered by {when}"
        return f"{did}, said {by_whom(event.by)} {when}"

    def resumed(self, event: e.JobsResumed) -> Notice:
        what = self.what(event.scope, event.target)
        count = len(event.jobs)
        return Notice(
            run=self.run.name,
            topic="reply",
            key=f"{self.run.name}/resumed/{event.at_ms}",
            title=f"{what} resumed by {by_whom(event.by)} {self.clock(self.at_ms)}",
            lines=(
                f"{count} job{'s wait' if count != 1 else ' waits'} again;"
                " what had begun goes on from its checkpoint",
            ),
            persons=persons_of(event.by),
            about="decision",
            at_ms=self.at_ms,
        )

    def paused(self, event: e.JobsPaused) -> Notice:
        return self._deed(
            event.by,
            f"paused/{event.at_ms}",
            f"{self.what(event.scope, event.target)} paused by {by_whom(event.by)}"
            f" {self.clock(self.at_ms)}",
            self.freed(event.scope, event.target).replace("frees", "keeps free"),
            f"go on with `{resume_command(self.run, event.scope, event.target)}`",
        )

    def unpaused(self, event: e.JobsUnpaused) -> Notice:
        count = len(event.jobs)
        return self._deed(
            event.by,
            f"unpaused/{event.at_ms}",
            f"paused no more: resumed by {by_whom(event.by)} {self.clock(self.at_ms)}",
            f"{count} job{'s go' if count != 1 else ' goes'} on; what had begun goes on from its"
            " checkpoint",
        )

    def retried(self, event: e.JobsRetried) -> Notice:
        count = len(event.jobs)
        return self._deed(
            event.by,
            f"retried/{event.at_ms}",
            f"{self.what(event.scope, event.target)} tried again, asked by {by_whom(event.by)}"
            f" {self.clock(self.at_ms)}",
            f"{count} job{'s wait' if count != 1 else ' waits'} again",
        )

    def _deed(self, by: str, key: str, title: str, *lines: str) -> Notice:
        return Notice(
            run=self.run.name,
            topic="reply",
            key=f"{self.run.name}/{key}",
            title=title,
            lines=_lines(*lines),
            persons=persons_of(by),
            about="decision",
            at_ms=self.at_ms,
        )

    def stop(self, event: e.StopAsked) -> Notice:
        """A person's."""
        verb = "parking" if event.then == "requeue" else "stopping"
        return Notice(
            run=self.run.name,
            topic="reply",
            key=f"{self.run.name}/stop/{event.target}/{event.how}/{event.at_ms}",
            title=f"{verb} {self.what(event.scope, event.target)}: {why(event)}",
            lines=_lines(
                self.freed(event.scope, event.target),
                "checkpoints are kept" if self._keeps(event) else "",
            ),
            persons=persons_of(event.by),
            about="decision",
            at_ms=self.at_ms,
        )

    def deed(self) -> str:
        """Who did the newest of what was done to the run, and when: for its head."""
        deeds = [(stop.at_ms, self._stop_deed(stop)) for stop in self.run.stops]
        deeds += [(answer.at_ms, self._answer_deed(answer)) for answer in self.run.answers]
        return max(((at, words) for at, words in deeds if words), default=(0, ""))[1]

    def _stop_deed(self, stop: e.StopAsked) -> str:
        if stop.by.startswith("rule ") or stop.then == "requeue":
            return ""  # a rule's own words are in the thread
        verb = stop.reason if stop.reason in ("aborted", "cancelled") else "stopped"
        what = self.what(stop.scope, stop.target).split(" (")[0]
        who = by_whom(stop.by)
        kept = ", checkpoint kept" if self._keeps(stop) else ""
        return f"{what} {verb} by {who} {self.clock(stop.at_ms)}{kept}"

    def _answer_deed(self, answer: e.VerdictAnswered) -> str:
        said = verdict_of(self.run, answer)
        if said is None or answer_to(self.run, said) != answer:
            return ""
        what = self.what(said.scope, said.target).split(" (")[0]
        return f"{what} {self._outcome(answer, said)}"

    def _keeps(self, stop: e.StopAsked) -> bool:
        return buttons.keeps_checkpoints(self.run, self.jobs(stop.scope, stop.target))

    # --- parts ------------------------------------------------------------------------------------

    def what(self, scope: e.StopScope, target: str) -> str:
        if scope == "run":
            return "the run"
        job = job_of(target) if target in self.run.attempts else target
        return self.view.row(job).title if job in self.run.jobs else target

    def jobs(self, scope: e.StopScope, target: str) -> list[Job]:
        job = job_of(target) if target in self.run.attempts else target
        return list(jobs_meant(self.run.graph, scope, job))

    def freed(self, scope: e.StopScope, target: str) -> str:
        free_ms = freed_ms(self.run, self.jobs(scope, target), self.at_ms)
        return f"frees up to {amount(free_ms, self.view.amounts_in)} of reserve" if free_ms else ""

    def clock(self, at_ms: int) -> str:
        """ "14:02 UTC"; with the day where that is another one."""
        now, then = local_time(self.at_ms, self.zone), local_time(at_ms, self.zone)
        if now.date() != then.date():
            return format_instant(at_ms, self.zone)
        return f"{then:%H:%M} {then.tzname()}"

    def _key(self, event: e.VerdictGiven) -> str:
        return f"{self.run.name}/verdict/{event.rule}/{event.target}/{event.at_ms}"


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
