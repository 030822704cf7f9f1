"""Presses in Slack beside a scheduler: heard over Socket Mode, or looked for where that cannot be.

Nothing is started before a run is told of in Slack. All of it runs in threads of the scheduler's
process, and what it has to say to the scheduler it puts into the store like any other screen.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing

from notifiers import catalog
from notifiers.base import NotifierSettingsError
from notifiers.slack.errors import SlackRefusal
from notifiers.slack.listener import SlackListener, SlackPress
from notifiers.slack.reader import SlackReader
from notifiers.slack.settings import api_url, app_token, bot_token, webhook_url
from notifiers.slack.web import SlackWeb
from orchestrator.clock import Clock
from orchestrator.home import Home
from orchestrator.presses.claim import Claim
from orchestrator.presses.desk import Desk, allowed, slack_settings
from orchestrator.presses.kept import Arrival
from orchestrator.presses.polling import EVERY_S, Poller, Watched
from orchestrator.resuming.resumption import stopped
from orchestrator.state.state import RunState, State

_log = logging.getLogger(__name__)

DAY_MS = 86_400_000
"""For so long after its end a run can be resumed by a press."""
WHISPER_TRIES = 3
LONGEST_WAIT_S = 10.0
LISTENER_STOP_S = 0.2
"""Its connection needs seconds to end in order, which nobody waits for: the process leaves."""


class Listening:
    """`state` and `wake` are the scheduler's: what is known of runs, and an end of its sleep."""

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        clock: Clock,
        state: Callable[[], State],
        wake: Callable[[], None],
        *,
        poll_s: float = EVERY_S,
    ) -> None:
        self._home = home
        self._environ = environ
        self._clock = clock
        self._state = state
        self._wake = wake
        self._poll_s = poll_s
        self._ears: _Ears | None = None
        self._given_up = False

    def look(self) -> None:
        """Begin if there is a run by now that somebody may press buttons of.

        A wrong token is logged: then nothing is heard, and everything else goes on.
        """
        if self._ears or self._given_up or not self._pressable():
            return
        try:
            if webhook_url(self._environ) is None:
                self._ears = _Ears(
                    self._home, self._environ, self._clock, self._wake, self._heads, self._poll_s
                )
                self._ears.start()
            else:
                self._given_up = True  # there are no buttons, and nothing can be read
        except NotifierSettingsError as error:
            self._given_up = True
            _log.warning("presses in Slack are not heard: %s", error)
        except sqlite3.Error as error:
            _log.warning("presses in Slack are not heard before the next run comes: %s", error)

    def waits(self) -> bool:
        """Whether somebody may still undo a stop of a run that has ended."""
        return self._ears is not None and any(
            not run.live and stopped(run, "run", run.name) for run in self._pressable()
        )

    def stop(self) -> None:
        if self._ears is not None:
            self._ears.stop()

    def _pressable(self) -> list[RunState]:
        """Runs that somebody may press buttons of, those that ended within a day included."""
        since_ms = self._clock.now_ms() - DAY_MS
        return [
            run
            for run in self._state().runs.values()
            if (run.ended_ms is None or run.ended_ms > since_ms) and allowed(run)
        ]

    def _heads(self) -> list[Watched]:
        """Where to look for what people do without buttons."""
        with closing(sqlite3.connect(self._home.store)) as db:
            query = "select address from address where notifier = ? and run = ?"
            found = []
            for run in self._pressable():
                if not run.live and not stopped(run, "run", run.name):
                    continue
                place = catalog.place("slack", slack_settings(run))
                row = db.execute(query, (place, run.name)).fetchone()
                address = json.loads(row[0]) if row else {}
                if address.get("ts"):
                    found.append(Watched(run, address["channel"], address["ts"]))
        return found


class _Ears:
    """The threads: a desk, a listener where there may be one, and who looks where there is none."""

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        clock: Clock,
        wake: Callable[[], None],
        heads: Callable[[], list[Watched]],
        poll_s: float,
    ) -> None:
        """Raises `NotifierSettingsError` for tokens that cannot be right."""
        self._home = home
        self._clock = clock
        self._heads = heads
        self._api_url = api_url(environ)
        self._reader = SlackReader(SlackWeb(bot_token(environ), api_url=self._api_url))
        self._token = app_token(environ) if environ.get("SLACK_APP_TOKEN", "").strip() else ""
        self._claim = Claim(self._token)
        self._listener: SlackListener | None = None
        self._said: set[str] = set()
        self._desk = Desk(home.store, clock, self._whisper, wake)
        self._poller = Poller(self._reader, self._desk, clock, self._unheard, every_s=poll_s)

    def start(self) -> None:
        self._desk.start()
        self._poller.start()

    def stop(self) -> None:
        self._poller.stop()
        if self._listener is not None:
            self._listener.stop(LISTENER_STOP_S)
        self._desk.stop()
        self._claim.release()

    def _unheard(self) -> list[Watched]:
        """What has to be looked at: nothing while somebody listens."""
        return [] if self._listens() else self._heads()

    def _listens(self) -> bool:
        """Whether presses are heard here; begins to listen when that has become possible."""
        if self._listener is not None:
            if self._listener.refused:
                self._claim.release()
                self._say_once(f"{self._listener.refused}; {_INSTEAD}")
            return not self._listener.refused
        if not self._token:
            return False
        try:
            if not self._claim.take(f"SKINT_HOME {self._home.path}"):
                holder = self._claim.holder()
                self._say_once(f"another scheduler has this SLACK_APP_TOKEN ({holder}); {_INSTEAD}")
                return False
        except OSError as error:
            self._say_once(f"{self._claim.path} cannot be locked ({error}); {_INSTEAD}")
            return False
        self._listener = SlackListener(self._token, self._pressed, api_url=self._api_url)
        self._listener.start()
        return True

    def _pressed(self, press: SlackPress) -> None:
        self._desk.take(
            Arrival(
                press.key,
                self._clock.now_ms(),
                press.user,
                press.value,
                press.channel,
                press.ts,
                press.thread_ts,
            )
        )

    def _whisper(self, arrival: Arrival, text: str) -> None:
        """Tell one person; where that fails it is at least in the log."""
        for _ in range(WHISPER_TRIES):
            try:
                self._reader.whisper(arrival.channel, arrival.person, text, arrival.thread_ts)
                return
            except SlackRefusal as refusal:
                _log.warning("slack:%s could not be told: %s", arrival.person, refusal.what)
                if refusal.permanent:
                    return
                time.sleep(min(refusal.retry_after_s or 1.0, LONGEST_WAIT_S))

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _log.warning(text)


_INSTEAD = "reactions and replies in Slack are looked for instead"
