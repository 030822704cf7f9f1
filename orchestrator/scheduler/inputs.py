"""What a step is told, and what it says has to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from budget.accounts.account import Account
from budget.ledger.balance import Balance
from budget.meters.log import Metered
from orchestrator.baselines.agreement import Agreement
from orchestrator.baselines.book import Book
from orchestrator.commands import Command
from orchestrator.events.events import Event, StopScope
from orchestrator.executors.base import Capabilities, Capacity, Handle, Observation
from orchestrator.forecasts.history import History
from orchestrator.state.state import State
from skint.attempt import StopRequest


class Line(NamedTuple):
    """One line an attempt wrote, parsed. A tuple, as an attempt may write thousands."""

    attempt: str
    fence: int
    at_ms: int
    kind: str
    data: Mapping[str, Any]


# --- answers: what came of the actions of the step before -----------------------------------------


@dataclass(frozen=True)
class Reserved:
    allocation: str


@dataclass(frozen=True)
class Refused:
    """The ledger says no, although it seemed to fit: somebody else was faster, the account is gone,
    the id stands for something else, or the ledger could not be written when it was asked."""

    allocation: str
    sentence: str
    until_ms: int | None
    """When hours come back by themselves, where they are what is missing."""
    again_ms: int
    """When asking again makes sense, whatever seems to be free before."""
    reason: Literal["over-budget", "sessions", "account", "id-taken", "ledger"] = "over-budget"


@dataclass(frozen=True)
class Accepted:
    submission: str


@dataclass(frozen=True)
class NotAccepted:
    """Nothing was started: the executor said no, or it was never asked."""

    submission: str
    sentence: str


@dataclass(frozen=True)
class NotReady:
    """What stood by for an attempt had ended when it was to be given devices."""

    submission: str
    sentence: str


@dataclass(frozen=True)
class Unanswered:
    """No answer to a submission: it may or may not have started."""

    submission: str
    sentence: str


@dataclass(frozen=True)
class Signalled:
    attempt: str
    how: str


@dataclass(frozen=True)
class Settled:
    allocation: str
    charged_ms: int
    shares: Mapping[str, int]


@dataclass(frozen=True)
class Released:
    allocation: str
    reason: str


@dataclass(frozen=True)
class Booked:
    run: str
    saving: str


Answer = (
    Reserved
    | Refused
    | Accepted
    | NotAccepted
    | NotReady
    | Unanswered
    | Signalled
    | Settled
    | Released
    | Booked
)


@dataclass(frozen=True)
class RuleSaid:
    """What a stop rule of the user's own has answered."""

    run: str
    job: str
    rule: str
    action: Literal["go-on", "warn", "stop"] = "go-on"
    scope: StopScope = "group"
    sentence: str = ""
    error: str = ""
    """Why it could not say anything; else empty."""


@dataclass(frozen=True)
class Inputs:
    commands: tuple[Command, ...] = ()
    observations: Mapping[str, Observation] = field(default_factory=dict)
    """By submission: an allocation, or an attempt of the CPU lane."""
    lines: tuple[Line, ...] = ()
    answers: tuple[Answer, ...] = ()
    said: tuple[RuleSaid, ...] = ()
    """By rules that were asked in earlier rounds."""
    orphans: Mapping[str, tuple[Handle, ...]] = field(default_factory=dict)
    """By executor: what it runs under our name; told at the start and now and then."""
    capacity: Mapping[str, Capacity] = field(default_factory=dict)
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    balances: Mapping[str, Balance | None] = field(default_factory=dict)
    """Of the accounts on which something may be admitted now, as they are after the last answer;
    None of those that cannot be read at the moment."""
    history: History = field(default_factory=History)
    """What forecasts have worked out before; it changes how fast they are, not what they say."""
    book: Book = field(default_factory=Book)
    """Finished groups to compare with; kept for the same reason."""
    agreement: Callable[[str, str], Agreement | str] = lambda ours, theirs: "nobody reads them"
    """On how many pictures two finished folds agree, by their files; or why that is not known."""
    watched_ms: int = 0
    """Since when somebody has looked again and again, without sleeping in between."""
    metered: Mapping[str, Metered] = field(default_factory=dict)
    """By attempt: what meters have read of it by now, where something reads them."""
    runs_dir: str = ""
    has_output: Callable[[str], bool] = lambda _: True
    """Whether an earlier result still has all its files, as they were, in this `out/` folder."""
    wrong_with: Callable[[str], str] = lambda _: ""
    """Why it has not; empty where it has."""
    has_files: Callable[[str], bool] = lambda _: False
    """Whether an attempt that was interrupted has left anything in its `out/` folder."""
    sessions: Mapping[str, int] = field(default_factory=dict)
    """How many allocations are open on an account and below it, whoever made them; of those in
    `balances` that admit only so many, and of their parents."""
    has_folder: Callable[[str], bool] = lambda _: False
    """Whether a run's folder is there, left by one that the store does not know."""


# --- actions: idempotent, so that one that was cut short is simply done again ---------------------


@dataclass(frozen=True)
class Reserve:
    run: str
    allocation: str


@dataclass(frozen=True)
class Drop:
    """A plan that could not be reserved when it was made: what was free may not be free now."""

    run: str
    allocation: str


@dataclass(frozen=True)
class Submit:
    run: str
    executor: str
    submission: str


@dataclass(frozen=True)
class Signal:
    """Ask one attempt to stop; where `request.how` is `kill`, end it without its cooperation."""

    run: str
    executor: str
    submission: str
    attempt: str
    request: StopRequest


@dataclass(frozen=True)
class Cancel:
    """End what runs under our name and is nobody's any more."""

    executor: str
    handle: Handle


@dataclass(frozen=True)
class Settle:
    run: str
    allocation: str


@dataclass(frozen=True)
class Release:
    run: str
    allocation: str
    reason: str


@dataclass(frozen=True)
class BookSaving:
    run: str
    saving: str


@dataclass(frozen=True)
class AskRule:
    """Have a stop rule of the user's own judge, in a process of its own."""

    run: str
    job: str
    rule: str
    base: str
    python: str
    given: str
    """Group and options, as JSON."""


Action = Reserve | Drop | Submit | Signal | Cancel | Settle | Release | BookSaving | AskRule


@dataclass(frozen=True)
class Step:
    """What a step decided: events to keep, the state they lead to, and what to do about it."""

    events: tuple[Event, ...]
    state: State
    actions: tuple[Action, ...]
    wake: Callable[[], int | None] = field(compare=False)

    @property
    def wake_ms(self) -> int | None:
        """When something becomes due without anybody asking, e.g. a weekly reset. Worked out when
        it is asked for: most steps are followed by another at once."""
        return self.wake()
