"""What would fit in the hours that are left, where the whole plan does not: each way with its cost.

Nothing here is guessed: fewer epochs are priced from epochs that were measured, smaller images only
where the same work was measured at that size on the same kind of device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.forecasts.forecast import Forecast
from budget.instant import format_instant
from orchestrator.forecasts.side import side_px, with_side
from orchestrator.graph import Graph, Job
from orchestrator.plans.fitting import Fit, Need, Shortage, need_of

FEWEST_EPOCHS = 0.25
"""Of the plan's epochs: what learns for less than that is another experiment."""

LEAST_FASTER = 1.1
"""How much faster smaller images must be to be worth a line."""

Price = Callable[[Graph, Job], Forecast]
"""How long a job of a graph takes on the devices that it would get."""


@dataclass(frozen=True, slots=True)
class Way:
    """Words of the command line, what becomes of the plan with them, and what that uses."""

    option: str
    what: str
    cost: str
    later: str = ""
    """Set where it fits only after the hours came back."""


def ways(fit: Fit, graph: Graph, account: Account, price: Price, sizes: Sequence[int]) -> list[Way]:
    """The ways in which a plan that does not fit would; `sizes` are image sizes to look for."""
    if fit.short is None or fit.limit is None:
        return []
    return [
        *_park(fit, fit.short, account),
        *_fewer_folds(fit, account),
        *_fewer_epochs(fit, graph, account, price),
        *_smaller_images(fit, graph, account, price, sizes),
        *_shorter_limits(fit, account),
        *_later(fit, account),
    ]


def _park(fit: Fit, short: Shortage, account: Account) -> Iterator[Way]:
    limit = fit.limit
    if limit is None or limit.next_gain_ms is None or fit.too_big is not None:
        return
    now_ms = sum(need.likely_ms for need in short.before)
    first = f"{names(short.before)} now, " if short.before else ""
    rest = fit.needs[len(short.before) :]
    if short.need.job.parks and short.left_ms:
        now_ms += short.left_ms
        first += f"{names(rest[:1])} in two parts, "
        rest = rest[1:]
    last = f"{names(rest)} after " if rest else "the second after "
    cost = f"{_bare(now_ms, account)} + {_amount(fit.likely_ms - now_ms, account)}"
    yield Way("--park", f"{first}{last}{_gain(fit)}", cost)


def _fewer_folds(fit: Fit, account: Account) -> Iterator[Way]:
    """The first folds, as many as fit."""
    folds = sorted({need.job.fold for need in fit.needs if need.job.fold is not None})
    for count in range(len(folds) - 1, 0, -1):
        kept = folds[:count]
        cost_ms = sum(n.likely_ms for n in fit.needs if n.job.fold is None or n.job.fold in kept)
        if cost_ms <= fit.free_ms:
            what = f"{count} of {len(folds)} folds now"
            yield Way(f"--folds {','.join(map(str, kept))}", what, _amount(cost_ms, account))
            return


def _fewer_epochs(fit: Fit, graph: Graph, account: Account, price: Price) -> Iterator[Way]:
    for group, needs in _groups(fit).items():
        whole = needs[0].job.params.get("epochs")
        if type(whole) is not int or any(need.forecast.source == "unknown" for need in needs):
            continue
        others_ms = fit.likely_ms - sum(need.likely_ms for need in needs)

        def cost_ms(epochs: int, needs: Sequence[Need] = needs, others_ms: int = others_ms) -> int:
            total_ms = others_ms
            for need in needs:
                job = replace(need.job, params={**need.job.params, "epochs": epochs})
                total_ms += need_of(job, price(graph, job), account).likely_ms
            return total_ms

        low, high = max(1, round(FEWEST_EPOCHS * whole)) - 1, whole
        while high - low > 1:  # the most epochs that fit are in low … high - 1
            middle = (low + high) // 2
            low, high = (middle, high) if cost_ms(middle) <= fit.free_ms else (low, middle)
        if low >= FEWEST_EPOCHS * whole and low >= 1:
            what = f"{low} of {whole} epochs, now"
            yield Way(f"--set {group}.epochs={low}", what, _amount(cost_ms(low), account))


def _smaller_images(
    fit: Fit, graph: Graph, account: Account, price: Price, sizes: Sequence[int]
) -> Iterator[Way]:
    """The largest size below the plan's at which the same work was measured and is faster."""
    entry, size = sized_entry(graph, fit.needs[0].job)
    entries = _sized_alike(graph, entry)
    for smaller in sorted({other for other in sizes if size and other < size}, reverse=True):
        changed = resized(graph, entries, smaller)
        priced = [(need, price(changed, changed.job(need.job.id))) for need in fit.needs]
        if any(forecast.source == "unknown" for _, forecast in priced):
            continue
        cost_ms = sum(need_of(need.job, f, account).likely_ms for need, f in priced)
        faster = fit.likely_ms / cost_ms if cost_ms else 0.0
        whole_ms = fit.limit.whole_ms if fit.limit else 0
        if faster < LEAST_FASTER or cost_ms > max(fit.free_ms, whole_ms):
            continue
        what = "smaller images"
        if fit.known:
            what += f", measured {faster:.1f} × faster"
        later = "" if cost_ms <= fit.free_ms else f"after {_gain(fit)}"
        option = " ".join(f"--set {name}.size={smaller}" for name in entries)
        yield Way(option, what, _amount(cost_ms, account), later)
        return


def _shorter_limits(fit: Fit, account: Account) -> Iterator[Way]:
    """Where nothing is known the limits count, and those are the plan's to choose."""
    for group, needs in _groups(fit).items():
        if any(need.forecast.source != "unknown" for need in needs):
            continue
        job = needs[0].job
        left_ms = fit.free_ms - (fit.likely_ms - sum(need.likely_ms for need in needs))
        wall_ms = account.duration_ms(job.devices, left_ms // len(needs))
        beside_ms = job.wall_limit_ms - round((job.limit_s or 0) * 1000)
        minutes = (wall_ms - beside_ms) // 60_000
        if minutes >= 1:
            cost_ms = len(needs) * account.cost_ms(job.devices, minutes * 60_000 + beside_ms)
            what = f"in the plan, at {group}: nothing is known of it, so its limit counts"
            yield Way(f"limit: {minutes}m", what, _amount(cost_ms, account))


def _later(fit: Fit, account: Account) -> Iterator[Way]:
    limit = fit.limit
    if limit is not None and limit.next_gain_ms is not None and fit.likely_ms <= limit.whole_ms:
        what = "all of it, submitted then"
        yield Way("later", what, _amount(fit.likely_ms, account), f"after {_gain(fit)}")


def _groups(fit: Fit) -> Mapping[str, list[Need]]:
    found: dict[str, list[Need]] = {}
    for need in fit.needs:
        found.setdefault(need.job.group, []).append(need)
    return found


def sized_entry(graph: Graph, job: Job) -> tuple[str, int]:
    """The entry that says how large the images of a job are, and how large; ("", 0) if none does.

    The nearest one counts, the job itself first.
    """
    for other in (job, *(graph.job(name) for name in graph.ancestors(job.id))):
        size = side_px(other)
        if size is not None and not other.smoke:
            return other.group, size
    return "", 0


def _sized_alike(graph: Graph, entry: str) -> list[str]:
    """The entry, and those that pack pictures to be predicted, which have to be as large."""
    sized = {(job.uses, side_px(job)) for job in graph.jobs if job.group == entry}
    alike = (job.group for job in graph.jobs if (job.uses, side_px(job)) in sized)
    return list(dict.fromkeys([entry, *alike]))


def resized(graph: Graph, entries: Sequence[str], size: int) -> Graph:
    """The graph with another image size at some entries."""
    jobs = (with_side(job, size) if job.group in entries else job for job in graph.jobs)
    return replace(graph, jobs=tuple(jobs))


def names(needs: Sequence[Need]) -> str:
    """What the jobs are called together: "train folds 0–2", "probe and train folds 0–1"."""
    folds: dict[str, list[int]] = {}
    words: list[str] = []
    for need in needs:
        if need.job.fold is None or need.job.matrix:
            words.append(need.job.id)
        else:
            folds.setdefault(need.job.group, []).append(need.job.fold)
    for group, found in folds.items():
        several = f"folds {found[0]}–{found[-1]}" if len(found) > 1 else f"fold {found[0]}"
        words.append(f"{group} {several}")
    if len(words) > 3:
        return f"{words[0]} and {len(words) - 1} more"
    return " and ".join(words)


def _gain(fit: Fit) -> str:
    limit = fit.limit
    if limit is None or limit.next_gain_ms is None:
        return "more is granted"
    return format_instant(limit.next_gain_ms, limit.limit.window.zone)


def _amount(ms: int, account: Account) -> str:
    return format_amount(ms, account.unit)


def _bare(ms: int, account: Account) -> str:
    """Without the unit, which the next figure has."""
    return _amount(ms, account).split(" ")[0]
