"""Keys of a plan's jobs, and code that counts in them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.plans.expand import expand
from orchestrator.plans.plan import load_plan
from tests.orchestrator.plans.samples import RIGHT, write_plan

CODE = '''"""A module."""
import helper

RATE = 0.1
"""How fast."""


def fit(params, ctx):
    """Fit."""
    return helper.twice(RATE)  # a comment
'''
HELPER = "def twice(x):\n    return x + x\n"


def keys_of(folder: Path, text: str = RIGHT) -> dict[str, str]:
    graph = expand(load_plan(write_plan(folder, text)))
    return {job.id: job.static_key for job in graph.jobs}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after.get(name)}
