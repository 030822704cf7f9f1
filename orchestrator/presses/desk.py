"""Deals with presses, each once: a command for the scheduler, and an answer to whoever pressed.

What a press leads to is told to everybody by the words of its events. Only what it does not lead to
is said here, to the one who pressed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.clock import Clock
from orchestrator.presses.kept import Arrival, KeptPresses, Open
from orchestrator.presses.meaning import Refusal, understand
from orchestrator.presses.press import Press, PressError, read_press
from orchestrator.state.state import RunState
from orchestrator.store.store import Store, read_run

_log = logging.getLogger(__name__)

FOLLOW_S = 0.2
"""How often the reply to a command is looked for."""
RETRY_S = 5.0
"""After the store could not be used."""

Say = Callable[[Arrival, str], None]
"""Tells one person something. Raises nothing that would keep others from being told."""


class Desk:
    """Works in a thread of its own from `start` to `stop`, on the store at `path`."""

    def __init__(
        self, path: Path, clock: Clock, say: Say, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`wake` is called when there is a command for the scheduler."""
        self.kept = KeptPresses(path)
        self._path = path
        self._clock = clock
        self._say = say
        self._wake = wake
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="presses", daemon=True)

    def start(self) -> None:
        """Goes on at once with what the last scheduler has kept: an answer that was given in time
        comes before the time-out that this one finds."""
        self._round()
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        self._stopping = True
        self._changed.set()
        self._thread.join(timeout_s)

    def take(self, arrival: Arrival) -> bool:
        """Keep what has come in, from any thread; False if it has come before.

        Raises sqlite3.Error if it cannot be kept.
        """
        new = self.kept.keep(arrival)
        if not new:
            _log.debug("delivered again, and dealt with once: %s", _shown(arrival))
        self._changed.set()
        return new

    def refuse(self, arrival: Arrival, refusal: Refusal, say: Say | None = None) -> bool:
        """Answer what has come in and means nothing; False if it has come before. `say`: how,
        where it is not only for whoever is there now."""
        if self.kept.has(arrival.key):
            return False
        (say or self._say)(arrival, refusal.sentence)
        outcome = f"refused ({refusal.why})"
        self.kept.keep(arrival, outcome)
        _log.info("%s: %s: %s", _shown(arrival), outcome, refusal.sentence)
        return True

    # --- in the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            self._changed.wait(self._round())

    def _round(self) -> float | None:
        """Seconds until the next one; None: it is for whatever comes in."""
        try:
            return FOLLOW_S if self.work() else None
        except Exception:  # the store is full, say: presses stay where they are until it is not
            _log.exception("presses wait")
            return RETRY_S

    def work(self) -> bool:
        """Go on with every press as far as that is possible now; whether one waits for a reply.

        Raises what went wrong with the first of those that could not be gone on with.
        """
        found = self.kept.open()
        if not found:
            return False
        waits, failure = False, None
        with Store(self._path) as store:
            for one in found:
                try:
                    waits |= not self._go_on(store, one)
                except Exception as error:  # it must not hold up what others have pressed
                    failure = failure or error
        if failure is not None:
            raise failure
        return waits

    def _go_on(self, store: Store, one: Open) -> bool:
        """Whether it has been dealt with to its end."""
        arrival, command = one.arrival, one.command
        if command is None:
            decided = self._decide(store, arrival)
            if isinstance(decided, Refusal):
                self._close(arrival, f"refused ({decided.why})", decided.sentence)
                return True
            command = decided
            self.kept.became(arrival.key, command)
            self._wake()
        reply = store.reply(command)
        if reply is None:
            return False
        if reply.ok:
            self._close(arrival, f"done: {reply.text}", "")
        else:
            self._close(arrival, "refused by the scheduler", reply.text)
        return True

    def _decide(self, store: Store, arrival: Arrival) -> str | Refusal:
        """The id of the command that it became, or why it becomes none."""
        try:
            press = read_press(arrival.value)
        except PressError as error:
            return Refusal("malformed", f"this button cannot be read: {error.what}")
        state = read_run(self._path, press.run)
        by = f"slack:{arrival.person}"
        command = _command_of(store, press)
        if self.kept.is_left_over(command, by):
            return command
        run = state.runs.get(press.run)
        meant = understand(press, state, by, allowed(run), zone_of(run))
        if isinstance(meant, Refusal):
            return meant
        store.ask(meant, self._clock.now_ms(), command)
        first = self.kept.asked_by(command)
        if first != by:
            return Refusal("asked-already", f"{first} was faster, and has asked for the same")
        return command

    def _close(self, arrival: Arrival, outcome: str, sentence: str) -> None:
        """Tell the one who pressed, if there is something to tell, and write down what came of it.

        In this order: whoever is killed in between tells it twice rather than never.
        """
        if sentence:
            self._say(arrival, sentence)
        _log.info("%s: %s%s", _shown(arrival), outcome, f": {sentence}" if sentence else "")
        self.kept.close(arrival.key, outcome)


def _command_of(store: Store, press: Press) -> str:
    """The id of the command that a press becomes. What the scheduler has refused may be asked for
    again: the reason may be gone."""
    command, tries = press.command, 1
    while (reply := store.reply(command)) is not None and not reply.ok:
        tries += 1
        command = f"{press.command}-{tries}"
    return command


def allowed(run: RunState | None) -> frozenset[str]:
    """Who may press for this run, as a command's `by` names them."""
    return frozenset(f"slack:{person}" for person in slack_settings(run).get("allow") or ())


def zone_of(run: RunState | None) -> str:
    """On whose clock its times are shown."""
    return str(slack_settings(run).get("timezone", "UTC"))


def slack_settings(run: RunState | None) -> Mapping[str, Any]:
    """What the plan of the run says of Slack."""
    found = run.graph.notify.get("slack") if run else None
    return found if isinstance(found, Mapping) else {}


def _shown(arrival: Arrival) -> str:
    """For the log: who, what, where. Names only; a value that is none of ours is cut short."""
    try:
        press = read_press(arrival.value)
        what = " ".join(part for part in (press.do, press.run, press.target, press.rule) if part)
    except PressError:
        what = repr(arrival.value[:80])
    return (
        f"press {arrival.key} by slack:{arrival.person} in {arrival.channel}/{arrival.ts}: {what}"
    )
