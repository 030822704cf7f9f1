"""Presses where nothing can listen: reactions to a run's head and words in its thread are looked
for every now and then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notifiers.slack.errors import SlackRefusal
from notifiers.slack.reader import SlackReader, written_ms
from orchestrator.clock import Clock
from orchestrator.presses.age import early_reply, late_reaction, late_reply
from orchestrator.presses.desk import Desk, allowed, zone_of
from orchestrator.presses.kept import Arrival
from orchestrator.presses.meaning import Refusal, not_allowed
from orchestrator.presses.press import Press
from orchestrator.presses.typed import REACTIONS, Wish, presses_for, wish_in
from orchestrator.state.state import RunState

_log = logging.getLogger(__name__)

EVERY_S = 45.0
"""Between looks at the same run."""
GAP_S = 1.5
"""Between two calls: each method may be called about 50 times a minute, by all programs of an app
together (docs.slack.dev, Tier 3)."""
WAIT_S = 60.0
"""After an error that does not say how long."""
_GONE = frozenset({"message_not_found", "thread_not_found", "channel_not_found", "not_in_channel"})
"""Of one run's head; what is said of others may still be there."""


@dataclass(frozen=True)
class Watched:
    """A run, and where its head stands."""

    run: RunState
    channel: str
    ts: str


class Poller:
    """Looks in a thread of its own from `start` to `stop`.

    `watched` says at each look what is worth one; `desk` is given what somebody wants there.
    """

    def __init__(
        self,
        reader: SlackReader,
        desk: Desk,
        clock: Clock,
        watched: Callable[[], Sequence[Watched]],
        *,
        every_s: float = EVERY_S,
        gap_s: float = GAP_S,
    ) -> None:
        self._reader = reader
        self._desk = desk
        self._clock = clock
        self._watched = watched
        self._every_s = every_s
        self._gap_s = gap_s
        self._closed: set[str] = set()
        """What Slack does not let this app do."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slack poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        self._stopping.set()
        self._thread.join(timeout_s)

    # --- in the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            try:
                wait_s = self.look()
            except Exception:  # a full disk, say: what could not be kept is seen again
                _log.exception("presses are looked for later")
                wait_s = WAIT_S

    def look(self) -> float:
        """Look once at everything; the seconds until the next time."""
        for one in self._watched():
            for name, read in (("reactions", self._reactions), ("replies", self._replies)):
                if name in self._closed or self._stopping.is_set():
                    continue
                try:
                    read(one)
                except SlackRefusal as refusal:
                    if not refusal.permanent:
                        _log.info("%s are looked for later: %s", name, refusal.what)
                        return refusal.retry_after_s or WAIT_S
                    if refusal.code not in _GONE:
                        self._close(name, refusal)
                self._stopping.wait(self._gap_s)
        return self._every_s

    def _reactions(self, one: Watched) -> None:
        kept, now_ms = self._desk.kept, self._clock.now_ms()
        looked_ms = kept.looked(one.channel, one.ts) or written_ms(one.ts)
        for given in self._reader.reactions(one.channel, one.ts):
            wish = REACTIONS.get(given.name)
            if wish is not None:
                key = f"reaction {one.channel} {one.ts} {given.name} {given.user}"
                late = late_reaction(given.name, wish, looked_ms, now_ms)
                presses = late or presses_for(wish, one.run)
                self._wished(one, wish, given.user, key, one.ts, presses)
        kept.have_looked(one.channel, one.ts, now_ms)

    def _replies(self, one: Watched) -> None:
        kept = self._desk.kept
        before = newest = kept.read_until(one.channel, one.ts)
        for reply in self._reader.replies(one.channel, one.ts, before):
            wish = wish_in(reply.text)
            if wish is not None:
                key = f"reply {one.channel} {reply.ts}"
                presses = self._meant(one.run, wish, written_ms(reply.ts))
                self._wished(one, wish, reply.user, key, reply.ts, presses)
            newest = reply.ts
        if newest != before:
            kept.have_read(one.channel, one.ts, newest)

    def _meant(self, run: RunState, wish: Wish, at_ms: int) -> list[Press] | Refusal:
        """What a reply stands for that was written at `at_ms`."""
        late = late_reply(wish, at_ms, self._clock.now_ms(), zone_of(run))
        presses = late or presses_for(wish, run)
        if isinstance(presses, Refusal):
            return presses
        early = [early_reply(wish, press, run, at_ms) for press in presses]
        return next((refusal for refusal in early if refusal is not None), presses)

    def _wished(
        self,
        one: Watched,
        wish: Wish,
        user: str,
        key: str,
        ts: str,
        presses: list[Press] | Refusal,
    ) -> None:
        """Once for each key, however often it is seen."""
        presses = not_allowed(one.run, f"slack:{user}", allowed(one.run)) or presses
        thread_ts = one.ts if ts != one.ts else ""

        def arrival(value: str, key: str) -> Arrival:
            now_ms = self._clock.now_ms()
            return Arrival(key, now_ms, user, value, one.channel, ts, thread_ts)

        def answer(arrival: Arrival, sentence: str) -> None:
            try:
                self._reader.answer(one.channel, one.ts, user, sentence)
            except SlackRefusal as refusal:
                if not refusal.permanent:
                    raise  # it is read again, and answered then
                _log.warning("slack:%s could not be told: %s", user, refusal.what)

        if isinstance(presses, Refusal):
            words = " ".join(part for part in (wish.do, one.run.name, wish.which) if part)
            # What only the one who wrote it sees is gone when they come back.
            say = answer if presses.why in ("late", "early") else None
            new = self._desk.refuse(arrival(words, key), presses, say)
        else:
            first, *more = (press.to_json() for press in presses)
            new = self._desk.take(arrival(first, key))
            for number, value in enumerate(more if new else (), 2):
                self._desk.take(arrival(value, f"{key} {number}"))
        if new and "marks" not in self._closed:
            try:
                self._reader.mark_seen(one.channel, ts)
            except SlackRefusal as refusal:
                if refusal.permanent:
                    self._close("marks", refusal)

    def _close(self, name: str, refusal: SlackRefusal) -> None:
        self._closed.add(name)
        what = {"marks": "what was read is not marked"}.get(name, f"{name} are not looked for")
        _log.warning("%s any more: %s", what, refusal)
