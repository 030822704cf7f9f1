"""One place that is told of a run, and what of a notice it gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from notifiers import catalog
from notifiers.base import Notice
from notifiers.manner import Manner, manner_of
from notifiers.slack.settings import settings_of
from orchestrator.views.words.persons import in_words

SLACK = "slack"

_AT_LEVEL = {
    "all": ("news", "trouble", "quota", "decision", "end"),
    "decisions": ("trouble", "quota", "decision", "end"),
    "end": ("end",),
}


@dataclass(frozen=True)
class Place:
    name: str
    """As the outbox files its notices."""
    kind: str
    """As a plan names it."""
    manner: Manner = field(default_factory=Manner)
    mention: tuple[str, ...] = ()
    """Whom a decision wakes."""
    presses: bool = False
    """Somebody may press buttons there."""


def place_of(kind: str, settings: Mapping[str, Any]) -> Place:
    """The place of a `notify:` entry, which the plan has checked."""
    name, manner = catalog.place(kind, settings), manner_of(kind, settings)
    if kind != SLACK:
        return Place(name, kind, manner)
    slack = settings_of(settings)
    return Place(name, kind, manner, slack.mention, bool(slack.allow))


def for_place(notice: Notice, place: Place) -> Notice | None:
    """The notice as this place gets it; None where its level leaves it out.

    Slack's channel sees what is to be decided, the hours of an account and the end; the rest stays
    in the thread of its run. In quiet hours a decision is still seen by the channel, but wakes
    nobody; that hours run low is kept back for the morning, as it is said only once; all else is in
    the threads, and `orchestrator.words.digest` says it in the morning.
    """
    if notice.topic != "head" and notice.about not in _AT_LEVEL[place.manner.level]:
        return None
    if notice.edits and not place.presses:  # there are no buttons to take away
        return None
    quiet_ms = quiet_until_ms(notice, place)
    quiet = quiet_ms is not None
    if quiet_ms is not None and notice.about == "quota":
        notice = replace(notice, not_before_ms=quiet_ms)
    elif notice.topic == "alert" and (
        (place.kind == SLACK and notice.about in ("news", "trouble"))
        or (quiet and notice.about != "decision")
    ):
        notice = replace(notice, topic="reply")
    if notice.about == "decision" and notice.topic == "alert" and not quiet:
        notice = replace(notice, mention=place.mention)
    if not place.presses:
        notice = replace(notice, buttons=())
    return notice if place.kind == SLACK else _with_words(notice)


def quiet_until_ms(notice: Notice, place: Place) -> int | None:
    """When the quiet hours of the place end that it is in; None outside of them."""
    quiet = place.manner.quiet
    around = quiet.around(notice.at_ms) if quiet is not None else None
    return None if around is None else around[1]


def _with_words(notice: Notice) -> Notice:
    return replace(
        notice,
        title=in_words(notice.title),
        lines=tuple(in_words(line) for line in notice.lines),
        fields=tuple((in_words(name), in_words(value)) for name, value in notice.fields),
    )
