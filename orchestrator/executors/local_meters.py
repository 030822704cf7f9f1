"""What the attempts of this machine do with what is kept for them: read now and then."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace

from budget.meters.base import Meter, Watched
from budget.meters.log import SAMPLE_EVERY_S, Metered, MeterLog
from orchestrator.executors.local_records import identity_of
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import State
from skint import process
from skint.attempt import AttemptDir, write_json

_log = logging.getLogger(__name__)

LOCAL = "local"


class LocalMeters:
    """Logs of the attempts that run here. They live as long as the scheduler; the next one goes on
    from the figures in the attempts' folders, also of those that end while there is none."""

    def __init__(self, meter: Meter, *, every_s: float = SAMPLE_EVERY_S) -> None:
        self._meter = meter
        self._every_ms = round(every_s * 1000)
        self._logs: dict[str, MeterLog] = {}
        self._read_ms: int | None = None

    def look(self, state: State, now_ms: int) -> Mapping[str, Metered]:
        """Figures so far of every live attempt that was read, after a new reading if one is due."""
        live = {a.id: a for _, a in state.live_attempts() if a.executor == LOCAL}
        self._logs = {name: log for name, log in self._logs.items() if name in live}
        if self._read_ms is None or not 0 <= now_ms - self._read_ms < self._every_ms:
            watched = [one for attempt in live.values() if (one := _watched(attempt)) is not None]
            self._read_ms = now_ms if watched else None  # the first one is read as it starts
            for name in live.keys() - self._logs.keys():
                if (before := _before(live[name])) is not None:
                    self._logs[name] = MeterLog(before)
            for name, reading in self._meter.read(watched, now_ms).items():
                self._logs[name] = self._logs.get(name, MeterLog()).add(reading)
                _keep(live[name], self._logs[name].metered)
        return {name: log.metered for name, log in self._logs.items()}


def _keep(attempt: AttemptState, metered: Metered) -> None:
    if not metered.covered_s:
        return  # a single reading says nothing of any time
    try:
        # After a power cut the attempt is over too; less would be known of it then.
        write_json(_folder(attempt).meters, metered.to_json(), durable=False)
    except OSError as error:
        _log.warning("what was measured of %s is not kept now: %s", attempt.id, error)


def _before(attempt: AttemptState) -> Metered | None:
    """What an earlier scheduler has measured. Between it and this one nobody looked."""
    known = [attempt.metered] if attempt.metered is not None else []
    try:
        known.append(Metered.from_json(json.loads(_folder(attempt).meters.read_text())))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        _log.warning("what was measured of %s before cannot be read: %s", attempt.id, error)
    newest = max(known, key=lambda metered: metered.covered_s, default=None)
    return None if newest is None else replace(newest, stretch_s=0.0)


def _folder(attempt: AttemptState) -> AttemptDir:
    return AttemptDir(attempt.path)


def _watched(attempt: AttemptState) -> Watched | None:
    """The attempt with the process of its shim; None unless that is alive."""
    try:
        identity = identity_of(_folder(attempt))
    except FileNotFoundError:  # it has not started yet, or its folder is gone
        return None
    except OSError as error:
        _log.warning("%s is not metered now: %s", attempt.id, error)
        return None
    if identity is None or not process.is_alive(identity):
        return None
    return Watched(attempt.id, attempt.devices, identity.pid)
