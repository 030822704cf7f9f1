"""What others would have made of the same demand, under the same fortunes.

`fcfs`         first come, first served, without a ledger: whatever comes is started while the
               provider lets it, and the provider ends what runs when the hours are used up
`slurm-safe`   Slurm with `AccountingStorageEnforce=safe`: a job starts if what is used, what is
               running counted to its limit, and its own whole limit fit; it is then never killed
               for the hours. With backfill: what does not fit holds nobody else up.

Neither looks at what is learnt, parks anything, or knows what it has done before. Work that needs
no accelerator costs them no time at all.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.graph import Job
from orchestrator.simulation.fortune import Fortune
from orchestrator.simulation.outlook import Setting
from orchestrator.simulation.tally import Tally, Week


@dataclass
class _Piece:
    """One accelerator job of one submission."""

    run: int
    job: Job
    fortune: Fortune
    crashed: bool = False
    retries: int = 0


@dataclass
class _Running:
    piece: _Piece
    start_ms: float
    end_ms: float
    rate: float
    """Weighted milliseconds a millisecond."""
    good: bool
    """It ends with a result."""


@dataclass
class _Cluster:
    """The provider's side, and a queue in front of it."""

    setting: Setting
    tally: Tally
    queue: list[_Piece] = field(default_factory=list)
    running: list[_Running] = field(default_factory=list)
    ended: list[tuple[float, float, float]] = field(default_factory=list)
    """(start, end, rate) of what was used."""
    finished: set[str] = field(default_factory=set)
    left: dict[int, int] = field(default_factory=dict)
    """Jobs by run that have no result yet."""

    def used_ms(self, week: Week, now_ms: float) -> float:
        """What the provider has counted in a window, or in all where nothing comes back."""
        from_ms = self.tally.weeks[0].from_ms if self.tally.for_good else week.from_ms
        spans = [*self.ended, *((r.start_ms, now_ms, r.rate) for r in self.running)]
        return sum(
            rate * max(0.0, min(end_ms, week.end_ms) - max(start_ms, from_ms))
            for start_ms, end_ms, rate in spans
        )

    def free_devices(self) -> int:
        return self.setting.devices - sum(r.piece.job.devices for r in self.running)

    def rate(self, job: Job) -> float:
        return self.setting.account.rate_milli(job.devices) / 1000

    def start(self, piece: _Piece, now_ms: float, limited: bool) -> None:
        """`limited`: it is killed at its limit."""
        seconds = piece.fortune.seconds
        crashes = bool(piece.fortune.crashes_at) and not piece.crashed
        if crashes:
            seconds *= piece.fortune.crashes_at
        most_s = piece.job.limit_s if limited and piece.job.limit_s else float("inf")
        if self.setting.account.session.max_ms is not None:
            most_s = min(most_s, self.setting.account.session.max_ms / 1000)
        end_ms = now_ms + 1000 * min(seconds, most_s)
        good = not crashes and seconds <= most_s
        self.running.append(_Running(piece, now_ms, end_ms, self.rate(piece.job), good))

    def end(self, running: _Running, now_ms: float, *, killed: bool = False) -> None:
        """It is over; one that was killed for the hours goes back to the head of the queue."""
        self.running.remove(running)
        self.ended.append((running.start_ms, now_ms, running.rate))
        piece = running.piece
        same_again = piece.job.static_key in self.finished
        good = running.good and not killed
        useful = good and piece.fortune.useful and not same_again
        amount_ms = running.rate * (now_ms - running.start_ms)
        self.tally.use(running.start_ms, now_ms, amount_ms, 0.0 if useful else amount_ms)
        if killed:
            self.queue.insert(0, piece)
        elif not good:
            if not piece.crashed and piece.fortune.crashes_at and piece.job.retries > piece.retries:
                piece.crashed, piece.retries = True, piece.retries + 1
                self.queue.insert(0, piece)
        else:
            self._result(piece, now_ms, useful)

    def _result(self, piece: _Piece, now_ms: float, useful: bool) -> None:
        week = self.tally.week_at(now_ms)
        self.finished.add(piece.job.static_key)
        if week is not None and useful:
            week.folds += 1
        if piece.fortune.useful:
            self.left[piece.run] -= 1
            if week is not None and not self.left[piece.run]:
                week.runs += 1


Policy = Callable[[_Cluster, float], float]
"""Starts what may start now, and says when to look again at the latest."""


def fcfs(cluster: _Cluster, now_ms: float) -> float:
    """Start in order while devices are free and hours are left; the provider ends all at zero."""
    week = cluster.tally.week_at(now_ms)
    if week is None:
        return float("inf")
    killed = cluster.setting.account.overrun != "finishes"
    left_ms = week.amount_ms - cluster.used_ms(week, now_ms)
    if left_ms < 1:
        for running in list(cluster.running) if killed else []:
            cluster.end(running, now_ms, killed=True)
        return week.end_ms
    while cluster.queue and cluster.queue[0].job.devices <= cluster.free_devices():
        cluster.start(cluster.queue.pop(0), now_ms, limited=False)
    rate = sum(running.rate for running in cluster.running)
    return min(week.end_ms, now_ms + left_ms / rate) if rate else week.end_ms


def slurm_safe(cluster: _Cluster, now_ms: float) -> float:
    """Start whatever fits whole into what is left, in order; nothing is killed for the hours."""
    week = cluster.tally.week_at(now_ms)
    if week is None:
        return float("inf")
    held_ms = sum(
        running.rate * max(0.0, running.start_ms + _limit_ms(running.piece.job) - now_ms)
        for running in cluster.running
    )
    left_ms = week.amount_ms - cluster.used_ms(week, now_ms) - held_ms
    for piece in list(cluster.queue):
        needed_ms = cluster.rate(piece.job) * _limit_ms(piece.job)
        if piece.job.devices <= cluster.free_devices() and needed_ms <= left_ms:
            cluster.queue.remove(piece)
            cluster.start(piece, now_ms, limited=True)
            left_ms -= needed_ms
    return week.end_ms


def _limit_ms(job: Job) -> float:
    return (job.limit_s or 0.0) * 1000


PEERS: Mapping[str, Policy] = {"fcfs": fcfs, "slurm-safe": slurm_safe}


def play(name: str, setting: Setting) -> Tally:
    """Live through the weeks under a peer's rule. KeyError for a name that is none of `PEERS`."""
    policy = PEERS[name]
    cluster = _Cluster(setting, setting.fresh(name))
    arrivals = [(float(a.at_ms), n) for n, a in enumerate(setting.demand)]
    heapq.heapify(arrivals)
    now_ms, end_ms = float(setting.weeks[0].from_ms), float(setting.weeks[-1].end_ms)
    while now_ms < end_ms:
        while arrivals and arrivals[0][0] <= now_ms:
            _, number = heapq.heappop(arrivals)
            _arrive(cluster, number)
        for running in [r for r in cluster.running if r.end_ms <= now_ms]:
            cluster.end(running, now_ms)
        look_ms = policy(cluster, now_ms)
        due = [look_ms, end_ms, *(r.end_ms for r in cluster.running)]
        due += [arrivals[0][0]] if arrivals else []
        if not (cluster.queue or cluster.running or arrivals):
            break
        now_ms = max(now_ms + 1.0, min(due))
    for running in cluster.running:  # what still runs is neither of use nor wasted yet
        amount_ms = running.rate * (now_ms - running.start_ms)
        cluster.tally.use(running.start_ms, now_ms, amount_ms)
    cluster.tally.hand_down()
    return cluster.tally


def _arrive(cluster: _Cluster, number: int) -> None:
    graph = cluster.setting.demand[number].graph
    jobs = [job for job in graph.jobs if job.devices]
    cluster.left[number] = len(jobs)
    run = f"{graph.name}-{number + 1}"
    for job in jobs:
        cluster.queue.append(_Piece(number, job, cluster.setting.fortunes.of(job, run)))
