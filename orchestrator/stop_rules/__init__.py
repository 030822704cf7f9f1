"""Rules that stop a failing group early: `base.py` is the interface, then one file a rule.

`RULES` is the whole list; a plan names them under `stop:`.
"""

from __future__ import annotations

from orchestrator.stop_rules.base import Rule
from orchestrator.stop_rules.broken import broken

RULES: dict[str, Rule] = {
    "broken": broken,
}
