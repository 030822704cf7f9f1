"""Rules that stop a failing group early: `base.py` is the interface, then one file a rule.

`RULES` is the whole list; a plan names them under `stop:`. `defaults.py` has their options.
"""

from __future__ import annotations

from orchestrator.stop_rules.base import Rule
from orchestrator.stop_rules.beats_baseline import beats_baseline
from orchestrator.stop_rules.broken import broken
from orchestrator.stop_rules.chance import chance
from orchestrator.stop_rules.curve import curve
from orchestrator.stop_rules.plateau import plateau
from orchestrator.stop_rules.quota import quota
from orchestrator.stop_rules.target import target

RULES: dict[str, Rule] = {
    "broken": broken,
    "chance": chance,
    "curve": curve,
    "beats-baseline": beats_baseline,
    "plateau": plateau,
    "target": target,
    "quota": quota,
}
