"""A period in which an executor keeps devices for attempts, and what it was charged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.events.outcomes import Edge

AllocationStatus = Literal[
    "planned", "refused", "reserved", "running", "ended", "settled", "released"
]


@dataclass(frozen=True)
class AllocationState:
    id: str
    account: str
    executor: str
    devices: tuple[str, ...]
    wall_ms: int
    amount_ms: int
    attempts: tuple[str, ...]
    limits_s: tuple[float, ...] = ()
    graces_s: tuple[float, ...] = ()
    edge: Edge = ""
    edge_until_ms: int | None = None
    unit: str = "device"
    together: bool = False
    """Its attempts run side by side, each on its part of `devices`."""
    status: AllocationStatus = "planned"
    reason: str = ""
    sentence: str = ""
    reserved_at_ms: int | None = None
    until_ms: int | None = None
    again_ms: int = 0
    start_ms: int | None = None
    end_ms: int | None = None
    estimated: bool = False
    weights: Mapping[str, int] = field(default_factory=dict)
    charged_ms: int = 0
    shares: Mapping[str, int] = field(default_factory=dict)

    def devices_of(self, number: int) -> tuple[str, ...]:
        """Those of its attempt with that number, from 0."""
        if not self.together:
            return self.devices
        each = len(self.devices) // len(self.attempts)
        return self.devices[number * each : (number + 1) * each]

    @property
    def keeps_devices(self) -> bool:
        return self.status in ("planned", "reserved", "running")

    @property
    def open(self) -> bool:
        """Something is still owed to the ledger."""
        return self.status not in ("settled", "released", "refused")
