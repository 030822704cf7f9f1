"""What a button stands for: the value that it carries, made and read here and nowhere else.

A value names one thing of one run as it was when the button was shown. A press of an old message is
known by that, and a press that comes twice has the same id both times.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from orchestrator.commands import RUN_NAME
from orchestrator.state.state import RunState
from skint.errors import SkintError

Do = Literal["abort-fold", "abort-run", "let-run", "stop", "resume"]
"""`let-run` and `stop` answer a stop rule; `resume` undoes a stop."""

VALUE_VERSION = 1
VALUE_CHARS = 2000
"""The most that Slack takes as the value of a button."""

TRIAL_RUN = "slack-test"
"""The run of the button that `skint slack test` posts; there is none."""

_KEYS = {"v", "run", "do", "target", "rule", "nonce"}
_DIGEST_CHARS = 8


class PressError(SkintError):
    """A value that no button of ours carries."""


@dataclass(frozen=True)
class Press:
    run: str
    do: Do
    target: str = ""
    """The id of a job, a group or what a verdict names; empty: the whole run."""
    rule: str = ""
    """With `let-run` and `stop`: the rule that is answered; empty: whatever has spoken of it."""
    nonce: str = ""
    """Which run of that name is meant, and what of it; see `nonce_of`."""

    def to_json(self) -> str:
        """What the button carries. Raises PressError where that would be too long."""
        text = json.dumps({"v": VALUE_VERSION, **asdict(self)}, separators=(",", ":"))
        if len(text) > VALUE_CHARS:
            raise PressError(
                f"a button cannot carry {len(text):,} characters",
                got=self.target[:80],
                wanted=f"at most {VALUE_CHARS:,}",
            )
        return text

    @property
    def command(self) -> str:
        """The id of the command that it becomes, whoever presses and however often."""
        return f"press-{_digest(self.to_json(), 32)}"


def press_of(run: RunState, do: Do, target: str = "", rule: str = "") -> Press:
    """What a button shown now stands for.

    `target` is the id of a job, a group, or empty or the run's name for all of it; with `let-run`
    and `stop` it is the verdict's.
    """
    target = "" if target == run.name else target
    return Press(run.name, do, target, rule, nonce_of(run, do, target, rule))


def read_press(value: object) -> Press:
    """The press that `value` stands for. Raises PressError for everything that we did not make."""
    if not isinstance(value, str) or len(value) > VALUE_CHARS:
        raise _malformed("no text", value)
    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise _malformed("no JSON", value) from error
    if not isinstance(data, dict) or set(data) != _KEYS:
        raise _malformed("other keys", value)
    version = data.pop("v")
    if version is True or version != VALUE_VERSION:
        raise PressError(
            "the button is of another version of skint",
            got=repr(version)[:80],
            wanted=str(VALUE_VERSION),
        )
    if not all(isinstance(part, str) for part in data.values()):
        raise _malformed("a part that is no text", value)
    if not RUN_NAME.fullmatch(data["run"]) or data["do"] not in get_args(Do):
        raise _malformed("an unknown deed, or a run that cannot be called so", value)
    if data["do"] == "abort-fold" and not data["target"]:
        raise _malformed("no fold to abort", value)
    return Press(**data)


def nonce_of(run: RunState, do: Do, target: str, rule: str = "") -> str:
    """Two digests of eight characters: of the run, and of what of it a button shown now is about.

    A fold is told from what it was by its attempts, what was stopped by when it was resumed, and a
    verdict by when it was given.
    """
    return _digest(run.uid, _DIGEST_CHARS) + _digest([do, *_about(run, do, target, rule)], 8)


def is_of(press: Press, run: RunState) -> bool:
    """Whether it means this run, and not another one that had its name."""
    return press.nonce[:_DIGEST_CHARS] == nonce_of(run, press.do, press.target)[:_DIGEST_CHARS]


def is_current(press: Press, run: RunState) -> bool:
    """Whether what it is about is still what is there now."""
    return press.nonce == nonce_of(run, press.do, press.target, press.rule)


def _about(run: RunState, do: Do, target: str, rule: str) -> list[Any]:
    if do in ("let-run", "stop"):
        given = [v for v in run.verdicts if (v.target, v.rule) == (target or run.name, rule)]
        return [target, rule, given[-1].at_ms if given else None]
    attempts = run.jobs[target].attempts[-1:] if target in run.jobs else ()
    resumed = [
        again.at_ms
        for again in run.resumptions
        if (target in again.jobs if target in run.jobs else again.target == (target or run.name))
    ]
    return [target, *attempts, resumed[-1:]]


def _malformed(why: str, value: object) -> PressError:
    return PressError(f"the button carries {why}", got=repr(value)[:80], wanted="one of skint's")


def _digest(content: object, chars: int) -> str:
    text = json.dumps(content, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:chars]
