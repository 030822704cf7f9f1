"""From the words after `plan`, `submit` and `run` to the plan that is asked for."""

from __future__ import annotations

import argparse

from orchestrator.home import Home
from orchestrator.settings import read_settings
from orchestrator.submitting.asked import Asked


def asked_of(arguments: argparse.Namespace, home: Home) -> Asked:
    """What the words of `add_plan_arguments` ask for. Raises SettingsError."""
    return Asked(
        path=arguments.file,
        sets=arguments.sets,
        account=arguments.account,
        folds=arguments.folds,
        cpu_only=arguments.cpu_only,
        again=arguments.again,
        settings=read_settings(home.path),
        remembered=home.parsed,
        kept=home.checked,
        keys=home.keys,
    )
