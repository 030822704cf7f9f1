"""Every key of the screen of one group: its own, and those that change something there. Pure."""

from __future__ import annotations

from orchestrator.dashboard.keys import (
    BY_ACTION,
    LOOK,
    REST,
    Key,
    Situation,
    questions_of,
    why_not,
)

DEEDS = ("cancel", "abort", "pause", "resume", "retry", "verdict", "undo")
"""Keys of the main screen that do the same here, to the chosen job and its run."""
CHOOSE = Key("up,k", "↑↓", "choose(-1)", "Fold", "choose the fold of log and costs", LOOK)
METRIC = Key("m", "m", "metric(1)", "Metric", "the next metric; M the one before", LOOK)
GROUP = Key("g", "g", "group", "Group", "the next group of the run", LOOK)
FOLLOW = Key("f", "f", "follow", "Follow log", "the log stands still, or follows again", LOOK)
PANE = Key("tab", "tab", "pane(1)", "Pane", "the next pane; 1 2 3 4 one of them", LOOK)
HELP = Key("question_mark", "?", "help", "Help", "these keys", REST)
BACK = Key("escape,enter,q", "esc", "dismiss", "Back", "back to all runs", REST)
OWN = (CHOOSE, METRIC, GROUP, FOLLOW, PANE, HELP, BACK)
MOVES = "PgUp PgDn scroll the pane that is chosen · the keys in the last line can be clicked on"


def why_not_here(key: Key, now: Situation) -> str:
    """Why a key of this screen does nothing at the moment; empty where it does something."""
    if key in OWN:
        return ""
    if key.action == "verdict" and not (now.read_only or asks(now)):
        return "no stop rule asks anything about this run now"
    return why_not(key.action, now)


def asks(now: Situation) -> bool:
    """Whether a stop rule asks about the run that is shown."""
    return any(run.name == line.run for run, _ in questions_of(now.screen) for line in now.lines)


def hints_here(now: Situation, *, several_panes: bool) -> tuple[Key, ...]:
    """The keys that do something, what matters most first; `several_panes` of which one is seen."""
    first = ("verdict", "undo", "abort", "cancel", "retry", "resume")
    deeds = [BY_ACTION[name] for name in first if not why_not_here(BY_ACTION[name], now)]
    panes = [PANE] if several_panes else []
    pause = [BY_ACTION["pause"]] if not why_not_here(BY_ACTION["pause"], now) else []
    return (*deeds, CHOOSE, METRIC, *panes, GROUP, FOLLOW, *pause, HELP, BACK)


def all_keys() -> tuple[Key, ...]:
    """In the order of the help."""
    return (*(BY_ACTION[name] for name in DEEDS), *OWN)
