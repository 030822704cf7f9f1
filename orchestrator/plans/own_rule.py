"""Stop rules of a user's own: whether there is such a function is asked in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.plans.describe import ask


def check_own_rule(name: str, options: Mapping[str, Any], base: Path, python: str = "") -> None:
    """Raise DescribeError where `name` is no rule that takes these options."""
    arguments = ["skint.rule", name, "--check", "--base", str(base)]
    ask(name, arguments, base, python, json.dumps({"options": dict(options)}))
