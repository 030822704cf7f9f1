"""The one error tree of skint.

    SkintError                      exit 1   anything a person should read without a traceback
    ├─ orchestrator.plans.plan.PlanError  exit 2   the plan, or a file it names, is wrong
    ├─ skint.job.JobNotFound        exit 2   nothing stands under that name
    ├─ budget.ledger.LedgerError    exit 1   the ledger cannot do that
    │   └─ budget.ledger.OverBudget exit 5   it does not fit in what is left
    └─ …

Each class stands in the module that raises it.
"""

from __future__ import annotations

OK, FAILED, USAGE, NOT_FOUND, CREDENTIALS, OVER_BUDGET, RUN_FAILED, UNREACHABLE = range(8)
INTERRUPTED = 130
"""Exit codes of the command line, the last of Ctrl-C; 141: nobody reads `skint exec` any more."""


class SkintError(Exception):
    """Something a person can act on: what, where, got, wanted, next.

    `what` is one sentence in lower case without a full stop. The other parts are optional and are
    printed one a line. No secret may stand in any of them.
    """

    exit_code: int = FAILED

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        got: object | None = None,
        wanted: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.got = None if got is None else str(got)
        self.wanted = wanted
        self.next = next

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        parts = (("got", self.got), ("wanted", self.wanted), ("next", self.next))
        return "\n".join([head, *(f"  {name:<7} {text}" for name, text in parts if text)])
