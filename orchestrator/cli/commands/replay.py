"""Exit code 1 if the two differ: please report that."""

from __future__ import annotations

import argparse

from orchestrator.home import Home
from orchestrator.store.store import Store
from skint.errors import FAILED, OK

EXAMPLES = ("skint replay",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    with Store(home.store) as store:
        events = store.last_event()
        replayed, kept = store.replayed(), store.state()
    if replayed == kept:
        print(f"{events} events · {len(kept.runs)} runs · the state agrees")
        return OK
    for name in sorted(replayed.runs.keys() | kept.runs.keys()):
        if replayed.runs.get(name) != kept.runs.get(name):
            print(f"{name}: the events say otherwise than the state")
    if replayed.results != kept.results:
        print("the results for reuse differ")
    return FAILED
