"""What is told to people (`Notice`) and who tells it (`Notifier`).

A notifier transports. It decides neither the words (the orchestrator makes them from events) nor
when to try again (the outbox does): it says which lanes a send uses, and raises `NotifyError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from skint.errors import SkintError

Topic = Literal["head", "reply", "alert"]
"""`head`: the one message of a run, edited in place. `reply`: in the run's thread.
`alert`: a reply that the whole channel sees as well, for a needed decision and for the end."""
About = Literal["news", "trouble", "quota", "decision", "end"]


@dataclass(frozen=True)
class Curve:
    """Points to draw under a notice, e.g. a metric by epoch, one series a fold."""

    title: str
    metric: str
    series: Mapping[str, tuple[tuple[float, float], ...]]
    """Name -> ((epoch, value), ...), epochs from 1, ascending; a value may be NaN or infinite."""


@dataclass(frozen=True)
class Picture:
    """A PNG beside the words, made before it is sent."""

    path: str
    title: str
    alt_text: str


@dataclass(frozen=True)
class Button:
    """What a reader may press under a notice, where the service can take presses."""

    label: str
    value: str
    """Comes back with the press, as it is; at most 2,000 characters."""
    style: Literal["plain", "primary", "danger"] = "plain"
    confirm: str = ""
    """Asked before the press counts; empty: nothing is asked."""


@dataclass(frozen=True)
class Notice:
    """Words for a person. All text is plain: a notifier escapes what its service would read."""

    run: str
    topic: Topic
    key: str
    """The same key is sent once by each notifier. Heads have a new key at each change; of those
    still waiting only the newest is sent."""
    title: str
    """What happened, in one line, without the run's name: notifiers put that where it is needed.
    The console prints a head again when its title or `final` has changed, and only then."""
    lines: tuple[str, ...] = ()
    """Details, one a line; they may change with every edit (time to go, hours left)."""
    fields: tuple[tuple[str, str], ...] = ()
    """(name, value) pairs for what reads better in columns, e.g. ("charged", "0.41 h")."""
    curve: Curve | None = None
    """Drawn under a reply or an alert. A head has none: services cannot edit a picture."""
    pictures: tuple[Picture, ...] = ()
    """Under a reply or an alert, after the curve."""
    buttons: tuple[Button, ...] = ()
    """Of those services that have none the words alone are shown."""
    typed: tuple[str, ...] = ()
    """Said instead of the buttons where they cannot be pressed: what to type."""
    mention: tuple[str, ...] = ()
    """Whom to wake, by the service's own ids; only for a decision that is needed."""
    persons: tuple[str, ...] = ()
    """Who did what it tells, by the service's own ids: of the persons whom words name, only these
    are shown as such. A log may quote anybody's id."""
    quoted: tuple[str, ...] = ()
    """What somebody else wrote, e.g. the last lines of a log: shown as it stands, after `lines`."""
    about: About = "news"
    """How much it matters; settings of a place leave out what matters less."""
    edits: str = ""
    """Key of an earlier reply or alert that had buttons, which becomes this without them. Where
    that one cannot be edited nothing is said: what is new has been said in a reply."""
    not_before_ms: int = 0
    """Kept back until then."""
    at_ms: int = 0
    """Unix time in milliseconds of the event that it tells."""
    final: bool = False
    """The run has ended: this head is its last state."""

    @property
    def headline(self) -> str:
        """The title with the run's name in front, once."""
        if self.title == self.run or self.title.startswith((f"{self.run} ", f"{self.run}:")):
            return self.title
        return f"{self.run} · {self.title}" if self.title else self.run

    def details(self) -> tuple[str, ...]:
        """Lines, fields, what is quoted and what to type as plain lines; of a head without what to
        type, which would be said again with each edit."""
        typed = () if self.topic == "head" else self.typed
        fields = (f"{name}: {value}" for name, value in self.fields)
        return (*self.lines, *fields, *self.quoted, *typed)

    def to_json(self) -> str:
        """For storage; NaN and infinities are written the way Python reads them."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Notice:
        """As `to_json` wrote it; what an older version did not know yet has its default."""
        data = json.loads(text)
        readers: dict[str, Callable[[Any], object]] = {
            "lines": tuple,
            "quoted": tuple,
            "persons": tuple,
            "fields": lambda pairs: tuple((name, value) for name, value in pairs),
            "curve": _curve_from,
            "pictures": lambda found: tuple(Picture(**picture) for picture in found),
            "buttons": lambda found: tuple(Button(**button) for button in found),
            "typed": tuple,
            "mention": tuple,
        }
        for name in readers.keys() & data.keys():
            data[name] = readers[name](data[name])
        return cls(**data)


def _curve_from(data: dict[str, Any] | None) -> Curve | None:
    if data is None:
        return None
    series = {name: tuple((x, y) for x, y in points) for name, points in data["series"].items()}
    return Curve(data["title"], data["metric"], series)


class NotifyError(SkintError):
    """A notice could not be delivered, or not now.

    `retry_after_s`: the service's own word on when to come back. `permanent`: trying again would
    not help; the sentence says what would. `reached`: the run's address as far as the send got,
    e.g. after the message but before its picture; the next try is given it. `uncertain`: the
    service may have taken the notice all the same, e.g. when only its answer was lost.
    """

    def __init__(
        self,
        what: str,
        *,
        retry_after_s: float | None = None,
        permanent: bool = False,
        reached: Mapping[str, str] | None = None,
        uncertain: bool = False,
        next: str | None = None,
    ) -> None:
        super().__init__(what, next=next)
        self.retry_after_s = retry_after_s
        self.permanent = permanent
        self.reached = reached
        self.uncertain = uncertain


class NotifierSettingsError(SkintError):
    """The `notify:` part of a plan, or what it needs from the environment, is wrong."""

    exit_code = 2


class Notifier(Protocol):
    """Sends notices to one place. Used from one thread at a time."""

    @property
    def name(self) -> str:
        """Unique to the place, e.g. `slack:C0123456789`: the outbox files notices under it."""

    def pace(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, float]:
        """The lanes that sending uses, and for how many seconds each must then stay free.

        Lanes are shared by name between notifiers: two channels of one workspace have lanes of
        their own for posting and a common one for editing.
        """

    def send(self, notice: Notice, address: Mapping[str, str]) -> Mapping[str, str]:
        """Deliver, without waiting or retrying; returns where the run's next notices belong.

        `address` is what the last send for this run returned, {} at first (e.g. Slack's channel
        and timestamp of the head message). Raises `NotifyError`.
        """


@dataclass(frozen=True)
class Arrival:
    """What is found of a notice that was sent before."""

    address: Mapping[str, str]
    """As `send` would have returned it."""
    whole: bool = True
    """False: sent again with this address, only what is missing goes out, e.g. a picture."""


@runtime_checkable
class Illustrated(Protocol):
    """A notifier that shows pictures; for the others none is drawn."""

    shows_pictures: bool


@runtime_checkable
class Finder(Protocol):
    """A notifier whose service can be asked what it has: there nothing is ever said twice."""

    def find(self, notice: Notice, address: Mapping[str, str]) -> Arrival | None:
        """Whether a notice is there that was sent, and nobody saw with what end.

        None: it is not, and may be sent. Raises `NotifyError`, a permanent one where looking is
        not permitted.
        """
