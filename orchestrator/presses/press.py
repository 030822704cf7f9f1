"""What a button carries: made when a message is written, read when somebody presses. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from orchestrator.state import RunState

VERSION = 1
NONCE_CHARS = 12

Do = Literal["abort-fold", "abort-run", "let-run", "stop", "resume"]


@dataclass(frozen=True, kw_only=True)
class Press:
    """`target`: the id of a job, a group or the run's name. `nonce`: `nonce_of` when the button
    was made; another one by now means that the message is old."""

    run: str
    do: Do
    target: str
    rule: str = ""
    nonce: str = ""

    def to_json(self) -> str:
        return json.dumps({"v": VERSION, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Press:
        """Raises ValueError for what no button of this version carries."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("v", None) != VERSION:
            raise ValueError("this is no button of this version")
        names = {"run", "do", "target", "rule", "nonce"}
        if set(data) != names or not all(isinstance(value, str) for value in data.values()):
            raise ValueError("this is no button of skint")
        if data["do"] not in get_args(Do):
            raise ValueError(f"no button does {data['do']!r}")
        return cls(**data)


def press_of(run: RunState, do: Do, target: str, rule: str = "") -> Press:
    """The press that a button for this carries now."""
    return Press(
        run=run.name, do=do, target=target, rule=rule, nonce=nonce_of(run, do, target, rule)
    )


def nonce_of(run: RunState, do: Do, target: str, rule: str = "") -> str:
    """A digest of the run and of what the button is about: the attempt that runs, the verdict that
    asks, the stop that may be undone."""
    about: object = ""
    if do == "abort-fold":
        attempt = run.current(target) if target in run.jobs else None
        about = attempt.id if attempt else ""
    elif do in ("let-run", "stop"):
        asked = [v.at_ms for v in run.verdicts if (v.rule, v.target) == (rule, target)]
        about = asked[-1] if asked else ""
    else:
        about = sum(attempt.outcome == "stopped" for attempt in run.attempts.values())
    text = json.dumps([run.uid or run.name, do, target, rule, about])
    return hashlib.sha256(text.encode()).hexdigest()[:NONCE_CHARS]
