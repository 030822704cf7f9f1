"""Every reason code, with what it means: what programs compare, as sentences are for people.

A code stands in events, in `--json` and in stop files. Once given it keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

WAITING: Mapping[str, str] = {
    "account": "the account is gone, or cannot be used on this machine",
    "being-made": "another job makes the same result at this moment",
    "cores": "jobs of the CPU lane have the cores",
    "devices": "other jobs have the devices",
    "group": "the free hours do not reach for all jobs of its entry, and `when-short` is `wait`",
    "held": "somebody has held new jobs back: `skint release`",
    "ledger": "the ledger could not be read or written; it is asked again",
    "memory": "jobs of the CPU lane have the memory",
    "needs": "in the queue: other jobs have to end first",
    "over-budget": "its reservation is more than is free",
    "parked": "it was stopped with a checkpoint, and goes on when it may",
    "paused": "somebody has paused it: `skint resume`",
    "preparing": "its worker reads data ahead; the devices are not kept meanwhile",
    "ready": "in the queue: nobody has looked at it yet",
    "retry": "its attempt failed, and the plan allows another",
    "sessions": "the account allows no more sessions at once",
    "standby-gone": "the worker that was to get the devices has ended; it starts anew",
    "turn": "jobs before it in the queue go first",
}
"""Of a job that could start and does not (`JobWaited`), and of an allocation that was refused."""

ENDED: Mapping[str, str] = {
    "account": "the account cannot be used on this machine",
    "cpu-only": "it needs an accelerator, and the run does the free work only",
    "deadline": "its limit was over",
    "failed": "it ended by itself, with an exit code that is not 0",
    "id-taken": "the ledger knows the allocation's name as another one's",
    "killed": "it did not stop within its grace, or was to be killed",
    "lost": "its processes are gone and it left no exit record",
    "needs-failed": "a job that it needs has no result",
    "no-progress": "it was cut at an edge twice and came no further",
    "refused": "the executor did not start it",
    "same-key": "its result was there already",
    "sibling-failed": "a job of the same entry failed, and this would run the same code",
    "sigkill": "something outside killed it, mostly for want of memory",
    "stopped": "it was asked to stop, and stopped",
    "too-big": "the machine or the account never has what it wants",
    "unsaved": "its checkpoint could not be written; the one before stands",
    "unused": "it stood by for devices that did not come",
    "user-mistake": "something that only a person can mend: the sentence says what",
}
"""Of a job or an attempt that has ended (`JobEnded`, `AttemptEnded`)."""

STOPPED: Mapping[str, str] = {
    "aborted": "somebody has aborted the fold",
    "beats-baseline": "the chance that it beats the baseline is too small",
    "broken": "a loss is no number",
    "cancelled": "somebody has cancelled the run",
    "cannot-win": "no score that is left can bring the mean above the baseline",
    "chance": "it is no better than guessing the largest class",
    "curve": "its curve lies below those of good runs",
    "deadline": "its time limit was reached",
    "diverged": "the training loss is far above that of the first epoch",
    "edge": "a session or a window ends",
    "log": "what it printed was about to fill the disk, and could not be cut",
    "own-rule": "a stop rule of the user's own has spoken",
    "paused": "somebody has paused it",
    "plateau": "its score has not become better for long",
    "quota": "the hours do not reach for the fold",
    "stalled": "it has said nothing for long",
    "target": "the chance to reach the score that is wanted is too small",
    "target-no-share": "the score that is wanted lies outside 0 to 1, where the metric lies",
    "terminated": "its shim was told to end, as when the machine is shut down",
    "unreadable": "the stop file could not be read: somebody wanted it to stop",
    "unused": "no devices came for what was started ahead",
}
"""Of a stop that was asked for (`StopAsked`, `VerdictGiven`, the file `stop`)."""

REMARKED: Mapping[str, str] = {
    "cpu-work": "a worker that was started ahead made room for a job of the CPU lane",
    "damaged": "an earlier result of the same key has lost files, so it is made again",
    "goes-on": "it goes on from what an interrupted attempt had done",
    "not-usable": "a worker that was started ahead is not wanted any more",
}
"""Of what is out of the ordinary about a start (`JobRemarked`, `StandbyDropped`)."""

REASONS: Mapping[str, Mapping[str, str]] = {
    "Why a job waits": WAITING,
    "How a job or an attempt ended": ENDED,
    "Why it was asked to stop": STOPPED,
    "What is said of a start": REMARKED,
}
