"""The shapes of what commands answer with `--json`: a dataclass in a module for each command.

`skint schema NAME` prints the JSON Schema of one.
"""

from __future__ import annotations

from collections.abc import Mapping

SHAPES: Mapping[str, str] = {
    "accounts/1": "orchestrator.shapes.accounts:Accounts",
    "artifacts/1": "orchestrator.shapes.artifacts:Artifacts",
    "baseline/1": "orchestrator.shapes.baseline:Baseline",
    "budget/1": "orchestrator.shapes.budget:Budget",
    "cache-ls/1": "orchestrator.shapes.cache:CacheList",
    "cache-prune/1": "orchestrator.shapes.cache:CachePrune",
    "cache-verify/1": "orchestrator.shapes.cache:CacheVerify",
    "compare/1": "orchestrator.shapes.compare:Compare",
    "config/1": "orchestrator.shapes.config:Config",
    "doctor/1": "orchestrator.shapes.doctor:Doctor",
    "done/1": "orchestrator.shapes.done:Done",
    "error/1": "orchestrator.shapes.error:Error",
    "exec/1": "orchestrator.shapes.exec:Exec",
    "ledger/1": "orchestrator.shapes.ledger:Ledger",
    "logs/1": "orchestrator.shapes.logs:Logs",
    "metrics/1": "orchestrator.shapes.metrics:Metrics",
    "plan/1": "orchestrator.shapes.plan:Plan",
    "queue/1": "orchestrator.shapes.queue:Queue",
    "scheduler/1": "orchestrator.shapes.scheduler:Scheduler",
    "show/1": "orchestrator.shapes.show:Show",
    "simulate/1": "orchestrator.shapes.simulate:Simulate",
    "status/1": "orchestrator.shapes.status:Status",
    "submit/1": "orchestrator.shapes.submit:Submit",
}
"""Name and version, as in the answer, and `module:class`."""
