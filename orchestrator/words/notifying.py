"""The places that runs want to be told about: from the `notify:` part of a plan to notifiers."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from notifiers import catalog
from notifiers.base import Notifier, NotifierSettingsError
from orchestrator.graph import Graph
from orchestrator.words.place import Place, place_of

DEFAULT: Mapping[str, Mapping[str, Any]] = {"console": {}}
"""Where a plan without `notify:` is told about."""


def places(graph: Graph) -> tuple[str, ...]:
    """Names of the notifiers that a run tells, as the outbox files its notices."""
    return tuple(catalog.place(kind, settings) for kind, settings in _wanted(graph).items())


def told_places(graph: Graph) -> tuple[Place, ...]:
    """The same with what the plan says of how each wants to be told."""
    return tuple(place_of(kind, settings) for kind, settings in _wanted(graph).items())


def check_notify(graph: Graph, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `NotifierSettingsError` for what could never be delivered, credentials included.

    For whoever submits: it is too late to learn that a token is missing when the run is over.
    """
    for kind, settings in _wanted(graph).items():
        catalog.load(kind, settings, environ)


def notifiers_for(
    graphs: Iterable[Graph], environ: Mapping[str, str] = os.environ
) -> dict[str, Notifier]:
    """The notifiers of these runs by name, one for each place.

    A place whose credentials are missing here is left out with a warning: its notices wait in
    the outbox for a scheduler that has them, and the other runs go on.
    """
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
