"""What a user would get of an account, week by week: the real scheduler, ledger and rules run the
plans on a clock that jumps. How long a job takes is what `--hours` says, else what it took here
before, else assumed. The first week begins now, with what the ledger says is left. Nothing is
started or charged, and no hour of a real account is touched.

    skint simulate sweep.yaml --weeks 4 --seed 1 --hours train=0.5h±20%
    skint simulate sweep.yaml --against fcfs,slurm-safe
    skint simulate --faults --seed 4711       one week in which much goes wrong, checked"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from budget.accounts.account import Account
from budget.duration import format_hours
from budget.instant import format_instant
from budget.ledger import Ledger
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import fitted, prose
from orchestrator.home import Home
from orchestrator.store.store import read_state
from skint.errors import FAILED, NOT_FOUND, OK, USAGE, SkintError

if TYPE_CHECKING:
    from orchestrator.graph import Graph
    from orchestrator.simulation.distribution import Distribution
    from orchestrator.simulation.outlook import Setting
    from orchestrator.simulation.standing import Standing
    from orchestrator.simulation.tally import Tally
    from orchestrator.state.state import State

POLICIES = ("fcfs", "slurm-safe")


class SimulateError(SkintError):
    """That cannot be simulated."""

    exit_code = USAGE


class NoAccount(SkintError):
    """There is neither such an account nor such a preset."""

    exit_code = NOT_FOUND


EXAMPLES = ("skint simulate plan.yaml --weeks 1 --hours train=0.5h±20%",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", metavar="PLAN", nargs="*", help="plans, submitted once, in this order"
    )
    parser.add_argument("--weeks", type=int, default=4, metavar="N", help="how long (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same weeks")
    parser.add_argument(
        "--hours",
        action="append",
        default=[],
        metavar="JOB=TIME±PERCENT",
        help="how long each job of an entry takes, or a YAML file of such pairs; may be repeated",
    )
    parser.add_argument("--account", metavar="NAME", help="an account, or a preset: kaggle-gpu …")
    parser.add_argument(
        "--full-week", action="store_true", help="begin with a whole week, not with what is left"
    )
    parser.add_argument(
        "--park", action="store_true", help="begin although not all fits, and span windows"
    )
    parser.add_argument("--devices", type=int, metavar="N", help="devices at once (default: 1)")
    parser.add_argument(
        "--broken", type=float, default=0.0, metavar="SHARE", help="of the configurations: NaN"
    )
    parser.add_argument(
        "--crashes", type=float, default=0.0, metavar="SHARE", help="of the jobs: crash once"
    )
    parser.add_argument(
        "--against", metavar="LIST", help=f"others beside skint: {', '.join(POLICIES)}"
    )
    parser.add_argument(
        "--faults", action="store_true", help="a week of faults with all invariants checked"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.faults:
        if arguments.json:
            raise SimulateError("a week of faults is told in words only", next="without --json")
        return _faults(arguments.seed)
    against = _policies(arguments.against or "")
    if not arguments.files:
        raise SimulateError("no plan is named", wanted="skint simulate PLAN")
    for name in ("broken", "crashes"):
        share = getattr(arguments, name)
        if not 0 <= share <= 1:
            raise SimulateError(f"--{name} is a share", got=share, wanted="0 to 1")
    if not 1 <= arguments.weeks <= 520:
        raise SimulateError("that is no number of weeks", got=arguments.weeks, wanted="1 to 520")
    from orchestrator.simulation.outlook import look_ahead
    from orchestrator.simulation.peers import play

    setting, lines = _setting(arguments)
    if arguments.json:
        tallies = [look_ahead(setting), *(play(name, setting) for name in against)]
        _print_json(arguments.seed, setting, lines[2:], tallies)
        return OK
    print("\n".join(map(prose, lines)))
    skint = look_ahead(setting)
    print(f"\n{_weeks(skint, setting)}")
    for what, why in skint.waiting.items():
        print(prose(f"{what}: {why}"))
    if empty := _empty_weeks(skint, len(setting.demand)):
        print(prose(empty))
    if against:
        others = [play(name, setting) for name in against]
        print(f"\n{_policy_table([skint, *others])}")
    return OK


def _print_json(seed: int, setting: Setting, basis: list[str], tallies: Sequence[Tally]) -> None:
    from orchestrator.shapes import simulate as shapes
    from orchestrator.shapes.shape import instant

    found = (
        shapes.Policy(
            policy=tally.policy,
            weeks=tuple(
                shapes.Week(
                    start=instant(week.from_ms),
                    end=instant(week.end_ms),
                    amount_ms=week.amount_ms,
                    folds=week.folds,
                    runs=week.runs,
                    used_ms=week.used_ms,
                    wasted_ms=week.wasted_ms,
                    saved_ms=week.saved_ms,
                    left_ms=week.left_ms,
                )
                for week in tally.weeks
            ),
            waiting=dict(tally.waiting),
        )
        for tally in tallies
    )
    free_ms = None if setting.standing is None else setting.standing.balance.free_ms
    told = (setting.account.name, setting.devices, seed, free_ms, tuple(basis), tuple(found))
    print_answer(shapes.Simulate(*told))


def _faults(seed: int) -> int:
    """Live one week of faults; what broke, if anything did."""
    import logging

    from orchestrator.simulation.soak import render, soak

    logging.disable(logging.CRITICAL)  # a scheduler in trouble is what is wanted here
    found = soak([seed])
    logging.disable(logging.NOTSET)
    print(render(found))
    return FAILED if found.broken else OK


def _policies(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in POLICIES:
            raise SimulateError("unknown policy", got=name, wanted=", ".join(POLICIES))
    return names


def _setting(arguments: argparse.Namespace) -> tuple[Setting, list[str]]:
    """The demand and its fortunes, and what to say about them beforehand."""
    from orchestrator.plans.expand import expand
    from orchestrator.plans.plan import load_plan
    from orchestrator.simulation.distribution import given
    from orchestrator.simulation.fortune import Fortunes
    from orchestrator.simulation.outlook import Asked, Setting, simulated, weeks_from, weeks_of

    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    graphs = [expand(load_plan(path, (), arguments.account)) for path in arguments.files]
    names = {graph.account for graph in graphs}
    if len(names) > 1:
        raise SimulateError(
            "these plans use several accounts",
            got=", ".join(sorted(map(str, names))),
            next="name one for all of them: --account NAME",
        )
    (name,) = names
    known, standing = _known(home, name or "", now_ms)
    accounts = tuple(simulated(account) for account in known)
    times, bases = _times(graphs, read_state(home.store), given(arguments.hours))
    if standing is None:
        begins = "full: a preset, of which nothing is used"
    elif arguments.full_week:
        begins, standing = "full, whatever is used by now", None
    else:
        begins = standing.words()
    if standing is None:
        weeks = weeks_of(accounts[-1], now_ms, arguments.weeks)
    else:
        weeks = weeks_from(accounts[-1], standing, arguments.weeks)
    most = max((job.devices for graph in graphs for job in graph.jobs), default=0)
    setting = Setting(
        accounts,
        tuple(
            Asked(weeks[0].from_ms, replace(graph, account=name), park=arguments.park)
            for graph in graphs
        ),
        Fortunes(arguments.seed, times, arguments.broken, arguments.crashes),
        weeks,
        devices=max(1, most, arguments.devices or 1),
        standing=standing,
    )
    limits = " and ".join(
        f"{format_hours(limit.amount_ms)} {limit.window.describe()}"
        for limit in accounts[-1].limits
    )
    at_once = "one device" if setting.devices == 1 else f"{setting.devices} devices"
    head = f"{name} (simulated)   {limits} · {at_once} at once"
    return setting, [head, f"week 1   {begins}", *bases]


def _known(home: Home, name: str, now_ms: int) -> tuple[list[Account], Standing | None]:
    """The account with its parents before it, and how it stands in the ledger: or a preset, which
    stands in none."""
    from budget.accounts.presets import PRESETS, preset
    from orchestrator.simulation.standing import standing_of

    if home.ledger.exists():
        with Ledger(home.ledger, read_only=True) as ledger:
            known = {account.name: account for account in ledger.accounts()}
            if name in known:
                found = [known[name]]
                while found[0].parent:
                    found.insert(0, known[found[0].parent])
                return found, standing_of(ledger, name, now_ms)
    if name not in PRESETS:
        raise NoAccount(
            "there is neither an account nor a preset of that name",
            got=name or "a plan without `account:`",
            wanted="an account, or a preset: " + ", ".join(PRESETS),
            next="--account NAME",
        )
    return [preset(name)], None


def _times(
    graphs: Sequence[Graph], state: State, given: dict[str, Distribution]
) -> tuple[dict[str, Distribution], list[str]]:
    """How long the jobs of each entry take, and a line for each that keeps a device."""
    from orchestrator.simulation.distribution import assumed, recorded

    entries = {job.group: job for graph in graphs for job in graph.jobs}
    unknown = sorted(given.keys() - entries.keys())
    if unknown:
        raise SimulateError(
            "--hours names what no plan has", got=unknown[0], wanted=", ".join(entries)
        )
    times: dict[str, Distribution] = {}
    for graph in graphs:
        times.update(recorded(graph, state))
    times.update(given)
    lines = []
    for name, job in entries.items():
        if job.devices:
            lines.append(f"{name}   {times.get(name, assumed(job)).basis}")
    return times, lines


def _weeks(tally: Tally, setting: Setting) -> str:
    from orchestrator.simulation.tally import HEADS, cells

    zone = setting.account.limits[0].window.zone
    rows = [
        [str(number), format_instant(week.from_ms, zone), *cells(week)]
        for number, week in enumerate(tally.weeks, 1)
    ]
    rows.append(["all", "", *cells(tally)])
    return fitted((">week", "from", *HEADS), rows, ("from", ">runs finished"))


def _empty_weeks(tally: Tally, plans: int) -> str:
    """Why there is nothing in the last weeks, where all is over before them; else empty."""
    used = [number for number, week in enumerate(tally.weeks, 1) if week.used_ms or week.runs]
    last, count = max(used, default=0), len(tally.weeks)
    if tally.waiting or not last or last == count:
        return ""
    plan = "the plan is" if plans == 1 else "the plans are"
    later = f"week {count} is" if last + 1 == count else f"weeks {last + 1} to {count} are"
    return f"{plan} over in week {last}; {later} empty, since a plan is submitted once"


def _policy_table(tallies: Sequence[Tally]) -> str:
    from orchestrator.simulation.tally import HEADS, best, cells

    least, most = (", ".join(tally.policy for tally in found) for found in best(tallies))
    rows = [[tally.policy, *cells(tally)] for tally in tallies]
    words = f"wastes least: {least} · finishes most: {most}"
    return f"{fitted(('policy', *HEADS), rows, ('>runs finished',))}\n{words}"
