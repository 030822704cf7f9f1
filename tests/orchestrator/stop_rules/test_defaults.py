"""The one list of rules and options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.defaults import DEFAULTS

TAKEN = {"mode", "default", "after"}
"""Options that every rule has; they are not of the rules."""


def test_every_rule_has_its_defaults_and_none_is_listed_that_is_not_there() -> None:
    assert list(DEFAULTS) == list(RULES)
    assert all(rule.name == name for name, rule in DEFAULTS.items())


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_within_their_own_bounds(name: str) -> None:
    names = [option.name for option in DEFAULTS[name].options]
    assert len(set(names)) == len(names)
    assert not TAKEN & set(names)
    for option in DEFAULTS[name].options:
        assert option.default is None or option.low <= option.default <= option.high
        assert option.unit and option.meaning


def test_what_a_plan_gives_comes_before_the_default() -> None:
    rule = DEFAULTS["chance"]
    assert rule.value("margin", {}) == 2
    assert rule.value("margin", {"margin": 3}) == 3


@pytest.mark.parametrize("value", ["2", True, None])
def test_an_option_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="chance: `margin` is a number"):
        DEFAULTS["chance"].value("margin", {"margin": value})


def test_the_guide_has_the_same_list() -> None:
    page = (Path(__file__).parents[3] / "docs" / "stopping.md").read_text("utf-8")
    part = page.partition("\n## Options\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", part, flags=re.M)
    assert rows == [
        (
            rule.name,
            option.name,
            option.unit,
            option.meaning,
            "has to be given" if option.default is None else f"{option.default:g}",
        )
        for rule in DEFAULTS.values()
        for option in rule.options
    ]
    modes = re.findall(r"^\| `([\w-]+)` \|.*\| `(\w+)` \|$", page, flags=re.M)
    assert modes == [(rule.name, rule.mode) for rule in DEFAULTS.values()]
