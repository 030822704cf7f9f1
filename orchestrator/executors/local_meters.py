"""What the attempts of this machine do with what is kept for them: read now and then."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from budget.meters.base import Meter, Watched
from budget.meters.log import SAMPLE_EVERY_S, Metered, MeterLog
from orchestrator.executors.local_records import identity_of
from orchestrator.state.state import AttemptState, State
from skint import process
from skint.attempt import AttemptDir

_log = logging.getLogger(__name__)

LOCAL = "local"


class LocalMeters:
    """Logs of the attempts that run here. They live as long as the scheduler; what it keeps of
    them in events is where the next scheduler goes on."""

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
            for name, reading in self._meter.read(watched, now_ms).items():
                log = self._logs.get(name) or MeterLog(live[name].metered or Metered())
                self._logs[name] = log.add(reading)
        return {name: log.metered for name, log in self._logs.items()}


def _watched(attempt: AttemptState) -> Watched | None:
    """The attempt with the process of its shim; None unless that is alive."""
    try:
        identity = identity_of(AttemptDir(Path(attempt.folder)))
    except FileNotFoundError:  # it has not started yet, or its folder is gone
        return None
    except OSError as error:
        _log.warning("%s is not metered now: %s", attempt.id, error)
        return None
    if identity is None or not process.is_alive(identity):
        return None
    return Watched(attempt.id, attempt.devices, identity.pid)
