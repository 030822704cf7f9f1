"""The places that runs want to be told about: from the `notify:` part of a plan to notifiers.

Notifiers, and what goes with them, are imported where a plan names one: commands that only queue a
plan must not wait for what its scheduler needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.graph import Graph

if TYPE_CHECKING:
    from notifiers.base import Notifier
    from orchestrator.words.place import Place

DEFAULT: Mapping[str, Mapping[str, Any]] = {"console": {}}
"""Where a plan without `notify:` is told about."""


def places(graph: Graph) -> tuple[str, ...]:
    """Names of the notifiers that a run tells, as the outbox files its notices."""
    from notifiers import catalog

    return tuple(catalog.place(kind, settings) for kind, settings in _wanted(graph).items())


def told_places(graph: Graph) -> tuple[Place, ...]:
    """The same with what the plan says of how each wants to be told."""
    from orchestrator.words.place import place_of

    return tuple(place_of(kind, settings) for kind, settings in _wanted(graph).items())


def check_notify(graph: Graph, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `NotifierSettingsError` for what could never be delivered, credentials included.

    For whoever submits: it is too late to learn that a token is missing when the run is over.
    """
    if not graph.notify:
        return  # what is told without it needs nothing
    from notifiers import catalog

    for kind, settings in graph.notify.items():
        catalog.load(kind, settings, environ)


def notifiers_for(
    graphs: Iterable[Graph], environ: Mapping[str, str] = os.environ
) -> dict[str, Notifier]:
    """The notifiers of these runs by name, one for each place.

    A place whose credentials are missing here is left out with a warning: its notices wait in
    the outbox for a scheduler that has them, and the other runs go on.
    """
    import logging

    from notifiers import catalog
    from notifiers.base import NotifierSettingsError

    found: dict[str, Notifier] = {}
    for graph in graphs:
        for kind, settings in _wanted(graph).items():
            name = catalog.place(kind, settings)
            if name in found:
                continue
            try:
                found[name] = catalog.load(kind, settings, environ)
            except NotifierSettingsError as error:
                logging.getLogger(__name__).warning(
                    "notices for %s wait in the outbox: %s", name, error
                )
    return found


def _wanted(graph: Graph) -> Mapping[str, Mapping[str, Any]]:
    if graph.notify:
        return graph.notify
    # What `skint exec` has started speaks for itself, on the very terminal that would be told.
    return {} if graph.jobs and graph.jobs[0].caller else DEFAULT
