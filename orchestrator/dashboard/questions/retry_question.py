"""What is asked before failed or aborted jobs are tried anew: what that would cost, and whether so
much is left. As `skint retry` does, it refuses what is not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from budget.amount import format_amount
from budget.ledger.balance import LimitBalance
from budget.ledger.refusal import OverBudget
from orchestrator.commands import RetryJobs
from orchestrator.dashboard.questions.question import BY, Choice, Question
from orchestrator.dashboard.reading.snapshot import AccountBalance, Screen
from orchestrator.forecasts.history import History
from orchestrator.resuming.retry_price import Price, price_of, price_words
from orchestrator.scheduler.obeying.retrying import all_to_retry, to_retry
from orchestrator.state.state import RunState
from orchestrator.views.run.stake import Facts
from orchestrator.views.words.job import title_of

MOST_NAMED = 4
"""More jobs than this are counted."""


@dataclass(frozen=True)
class _Part:
    """Of one line: a run, or a job of it."""

    run: RunState
    request: RetryJobs
    jobs: tuple[str, ...]
    """Those that failed or were aborted."""
    skipped: int
    """How many were skipped because of them, and wait with them."""

    @property
    def account(self) -> str:
        return self.run.graph.account or ""


def retry_question(targets: Sequence[tuple[RunState, str]], screen: Screen) -> Question:
    """`targets` are runs, or jobs of them. ValueError where nothing of them failed or was
    aborted."""
    parts = [*_parts(targets)]
    if not parts:
        raise ValueError("nothing of it failed or was aborted")
    facts: list[tuple[str, str]] = [("again", _named(parts)), *_why(parts)]
    sent: list[RetryJobs] = []
    waits = False
    for name in dict.fromkeys(part.account for part in parts):
        own = [part for part in parts if part.account == name]
        charged = screen.balances.get(name)
        if charged is None:
            facts.append(("costs", _without_account(own)))
            sent += [part.request for part in own]
            continue
        price = _price(own, charged, screen)
        may_wait = all(part.run.park for part in own)
        facts += _price_facts(price, charged, may_wait=may_wait)
        if price.refusing is None or may_wait:
            sent += [part.request for part in own]
            waits |= price.refusing is not None
    return Question(_title(parts, refused=not sent), tuple(facts), _choices(parts, sent, waits))


def _parts(targets: Sequence[tuple[RunState, str]]) -> Iterator[_Part]:
    """A job is left out where its run is among them."""
    whole = {run.name for run, job in targets if not job}
    for run, job in targets:
        if job and run.name in whole:
            continue
        scope, target = ("attempt", job) if job else ("run", run.name)
        request = RetryJobs(run=run.name, scope=scope, target=target, by=BY)  # type: ignore[arg-type]
        failed, aborted = to_retry(run, request)
        if failed or aborted:
            jobs = tuple(one.id for one in (*failed, *aborted))
            yield _Part(run, request, jobs, len(all_to_retry(run, request)) - len(jobs))


def _named(parts: Sequence[_Part]) -> str:
    names = [
        title_of(part.run, part.run.graph.job(job)) + (f" of {part.run.name}" if several else "")
        for several in (len(parts) > 1,)
        for part in parts
        for job in part.jobs
    ]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    skipped = sum(part.skipped for part in parts)
    with_them = f"; {skipped} skipped because of that" if skipped else ""
    return ", ".join(names[:MOST_NAMED]) + more + with_them


def _why(parts: Sequence[_Part]) -> Iterator[tuple[str, str]]:
    """What the first one came to: what is tried anew unchanged may end in the same way."""
    run, job = parts[0].run, parts[0].jobs[0]
    attempt = run.current(job)
    got = (attempt.error or {}).get("got", "") if attempt is not None else ""
    said = [run.jobs[job].sentence, got]
    if any(said):
        yield "before", ": ".join(word for word in said if word)


def _price(parts: Sequence[_Part], charged: AccountBalance, screen: Screen) -> Price:
    """Of all parts on one account together."""
    account, balance, history = charged.account, charged.balance, History()
    found = [
        price_of(screen.state, part.request, account, balance, history, screen.now_ms)
        for part in parts
    ]
    jobs = tuple(job for one in found for job in one.jobs)
    likely_ms = sum(one.likely_ms for one in found)
    needs_ms = max(likely_ms, *(one.needs_ms for one in found))
    return Price(
        jobs,
        sum(one.low_ms for one in found),
        likely_ms,
        sum(one.high_ms for one in found),
        needs_ms,
        balance.refusing(needs_ms) if jobs else None,
    )


def _price_facts(price: Price, charged: AccountBalance, *, may_wait: bool) -> Facts:
    words = price_words(price, charged.account).removeprefix("costs ")
    facts = [("costs", words)]
    if not price.jobs:
        return tuple(facts)
    if price.needs_ms > price.likely_ms:
        needs = format_amount(price.needs_ms, charged.account.unit)
        facts.append(("reserves", f"{needs}, a job's limit; what it does not use comes back"))
    if price.refusing is None:
        return (*facts, ("left", _left(charged.balance.tightest)))
    facts.append(("not left", OverBudget(price.needs_ms, price.refusing).what))
    if may_wait:
        facts.append(("then", "what there is no room for waits until hours come back"))
    return tuple(facts)


def _left(limit: LimitBalance) -> str:
    if limit.limit.unlimited:
        return f"{limit.account} has no limit"
    free, whole = (format_amount(ms, limit.unit) for ms in (limit.free_ms, limit.amount_ms))
    return f"{free} free of {whole} on {limit.account}"


def _without_account(parts: Sequence[_Part]) -> str:
    devices = any(part.run.graph.job(job).devices for part in parts for job in part.jobs)
    if not devices:
        return "nothing: it uses no accelerator"
    return f"nobody knows: there is no account {parts[0].account}"


def _title(parts: Sequence[_Part], *, refused: bool) -> str:
    first = parts[0]
    if len(parts) > 1:
        what = f"{len(parts)} that are marked"
    elif first.request.scope == "run":
        what = f"what failed or was aborted of {first.run.name}"
    else:
        what = f"{title_of(first.run, first.run.graph.job(first.request.target))}"
        what += f" of {first.run.name}"
    return f"So much is not left for {what}" if refused else f"Try {what} again?"


def _choices(parts: Sequence[_Part], sent: Sequence[RetryJobs], waits: bool) -> tuple[Choice, ...]:
    if not sent:
        return (Choice("n", "Leave it"),)
    left_out = len(parts) - len(sent)
    yes = "Yes, as far as hours go" if left_out or waits else "Yes, try again"
    return (Choice("y", yes, tuple(sent), "retry"), Choice("n", "No, leave it"))
