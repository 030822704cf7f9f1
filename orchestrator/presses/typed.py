"""What may be done without buttons: reactions to a run's head, and words in its thread. Pure.

They say less than a button: what they mean is looked up in the run as it is when they are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator.presses.meaning import Refusal
from orchestrator.presses.press import Do, Press, press_of
from orchestrator.state.questions import open_questions
from orchestrator.state.state import RunState

Wanted = Literal["abort-fold", "abort-run", "let-run", "stop", "resume", "go-on"]


@dataclass(frozen=True)
class Wish:
    do: Wanted
    """`go-on`: let it run where a rule has asked, else resume."""
    which: str = ""
    """The number of a fold or the id of a job; empty: the one that there is."""


REACTIONS: Mapping[str, Wish] = {
    "octagonal_sign": Wish("abort-fold"),
    "x": Wish("abort-run"),
    "arrow_forward": Wish("go-on"),
}
"""By Slack's name of the emoji; docs/slack-presses.md shows them."""

_WORDS: tuple[tuple[str, Wanted], ...] = (
    (r"abort run", "abort-run"),
    (r"abort(?: fold)?(?: (?P<which>\S+))?", "abort-fold"),
    (r"let (?:it )?run", "let-run"),
    (r"stop(?: it)?", "stop"),
    (r"resume run", "resume"),
    (r"resume(?: fold)?(?: (?P<which>\S+))?", "resume"),
)
"""The whole of a reply; the first that fits."""

_MENTION = re.compile(r"^<@[UW][A-Z0-9]+>[:,]?\s*")
_LONGEST_CHARS = 300


def wish_in(text: str) -> Wish | None:
    """What a reply asks for; None where it is talk."""
    if len(text) > _LONGEST_CHARS:
        return None
    said = " ".join(_MENTION.sub("", text.strip()).split()).rstrip(".! ")
    for words, do in _WORDS:
        found = re.fullmatch(words, said, re.IGNORECASE)
        if found:
            return Wish(do, found.groupdict().get("which") or "")
    return None


def presses_for(wish: Wish, run: RunState) -> list[Press] | Refusal:
    """The buttons that it stands for, as they would be now."""
    if wish.do == "abort-run":
        return [press_of(run, "abort-run")]
    if wish.do in ("let-run", "stop", "go-on"):
        do: Do = "stop" if wish.do == "stop" else "let-run"
        asked = open_questions(run)
        if asked:
            return [press_of(run, do, one.target, one.rule) for one in asked]
        if wish.do != "go-on":
            return Refusal("nothing", f"no stop rule waits for an answer about {run.name}")
    if wish.do in ("resume", "go-on") and not wish.which:
        return [press_of(run, "resume")]
    do = "abort-fold" if wish.do == "abort-fold" else "resume"
    meant = _folds(run, wish.which)
    if len(meant) == 1:
        return [press_of(run, do, meant[0])]
    verb = do.split("-")[0]
    if not meant:
        what = f"no fold {wish.which}" if wish.which else "no fold that runs"
        return Refusal("nothing", f"{run.name} has {what} to {verb}")
    choice = " or ".join(f"`{verb} {job}`" for job in meant)
    return Refusal("nothing", f"several folds of {run.name} are meant: reply {choice}")


def _folds(run: RunState, which: str) -> list[str]:
    """Ids of the jobs that are meant; without a word those folds that run."""
    folds = [job for job in run.graph.jobs if job.fold is not None and not job.smoke]
    if which in run.jobs:
        return [which]
    if which:
        return [job.id for job in folds if str(job.fold) == which]
    return [job.id for job in folds if (now := run.current(job.id)) is not None and now.live]
