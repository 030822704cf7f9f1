"""What an entry says under `stop`: rules, their options, and how each of them acts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from budget.duration import DurationError, parse_ms
from orchestrator.events.verdict import Answer
from orchestrator.graph import OWN_RULE, StopRule
from orchestrator.plans.complaints import UNKNOWN_KEY, nearest
from orchestrator.plans.describe import DescribeError
from orchestrator.plans.document import Keys
from orchestrator.plans.entry import Entry, Problems
from orchestrator.plans.own_rule import check_own_rule
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.defaults import DEFAULTS, Mode, Option

MODES: tuple[str, ...] = get_args(Mode)
ANSWERS: tuple[str, ...] = get_args(Answer)
HOW = ("mode", "default", "after")
"""Options that every rule has: whether it acts or asks, and what holds where nobody answers."""
OWN_MODE: Mode = "auto"
"""Of a rule that is the user's own, where the plan says nothing."""


def stop_rules_of(entry: Entry, problems: Problems) -> tuple[StopRule, ...]:
    """An accelerator job that says nothing has `broken`. A rule in the mode `off` is none."""
    if entry.spec.stop is None:
        return (StopRule("broken"),) if entry.devices else ()
    found: dict[str, StopRule] = {}
    for number, item in enumerate(entry.spec.stop):
        place: Keys = (*entry.keys, "stop", number)
        rule = item if isinstance(item, dict) else {str(item): None}
        if len(rule) != 1:
            wanted = "the name of a rule, or {NAME: {OPTION: VALUE}}"
            problems.add(place, "this is not a stop rule", got=item, wanted=wanted)
            continue
        ((name, options),) = rule.items()
        if OWN_RULE not in name and name not in RULES:
            wanted = nearest(name, RULES) + ", or a function of your own: ./FILE.py:FUNCTION"
            problems.add(place, "there is no such stop rule", got=name, wanted=wanted)
        elif options is not None and not isinstance(options, dict):
            what = "the options of a stop rule are a mapping"
            problems.add((*place, name), what, got=options, wanted="{OPTION: VALUE}")
        elif name in found:
            problems.add(place, "this rule stands here twice", got=name, wanted="each rule once")
        else:
            found[name] = _rule(entry, name, options or {}, (*place, name), problems)
    return tuple(rule for rule in found.values() if rule.mode != "off")


def _rule(
    entry: Entry, name: str, given: Mapping[str, Any], place: Keys, problems: Problems
) -> StopRule:
    own = {key: value for key, value in given.items() if key not in HOW}
    if OWN_RULE in name:
        mode: Mode = OWN_MODE
        if given.get("mode") != "off":
            _check_own(entry, name, own, place, problems)
    else:
        mode = DEFAULTS[name].mode
        known = {option.name: option for option in DEFAULTS[name].options}
        for key in own.keys() - known.keys():
            wanted = nearest(key, [*known, *HOW])
            problems.add((*place, key), UNKNOWN_KEY, got=key, wanted=wanted)
        for option in known.values():
            _check(option, own, place, problems)
    return _with_mode(StopRule(name, own, mode), given, place, problems)


def _check(option: Option, own: Mapping[str, Any], place: Keys, problems: Problems) -> None:
    wanted = f"{option.unit} {option.meaning}, from {option.low:g} to {option.high:g}"
    wanted = f"a whole number of {wanted}" if option.whole else wanted
    if option.name not in own:
        if option.default is None:
            what = f"this rule needs {option.name!r}"
            problems.add(place, what, wanted=f"{option.name}: NUMBER ({wanted})")
        return
    value = own[option.name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and math.isfinite(value) and option.low <= value <= option.high
    if not fits or (option.whole and value != int(value)):
        what = f"{option.name!r} cannot be this"
        problems.add((*place, option.name), what, got=value, wanted=wanted)


def _with_mode(
    rule: StopRule, given: Mapping[str, Any], place: Keys, problems: Problems
) -> StopRule:
    mode, default, after_s = given.get("mode", rule.mode), rule.default, rule.after_s
    if mode not in MODES:
        wanted = ", ".join(MODES)
        problems.add((*place, "mode"), "there is no such mode", got=mode, wanted=wanted)
        return rule
    for key in ("default", "after"):
        if key in given and mode != "ask":
            what = f"{key!r} says what happens where nobody answers, and this rule does not ask"
            problems.add((*place, key), what, got=f"mode: {mode}", wanted="mode: ask")
    if given.get("default", default) in ANSWERS:
        default = given.get("default", default)
    else:
        what = "this is no answer to a stop rule"
        problems.add((*place, "default"), what, got=given["default"], wanted=" or ".join(ANSWERS))
    if "after" in given:
        try:
            after_s = parse_ms(given["after"]) / 1000
        except DurationError as error:
            parts = {"got": given["after"], "wanted": error.wanted}
            problems.add((*place, "after"), error.what, **parts)
        if after_s == 0:
            what = "nobody can answer in no time"
            wanted = "a duration above zero, such as 10m; `mode: auto` acts at once"
            problems.add((*place, "after"), what, got=given["after"], wanted=wanted)
    return replace(rule, mode=mode, default=default, after_s=after_s)


def _check_own(
    entry: Entry, name: str, own: Mapping[str, Any], place: Keys, problems: Problems
) -> None:
    try:
        check_own_rule(name, own, problems.plan.base, entry.spec.python)
    except DescribeError as error:
        problems.add(
            place,
            error.what,
            got=error.got or name,
            wanted=error.wanted or "a function of one group, as docs/undoing.md has it",
            next=error.next,
        )
