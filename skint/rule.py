"""A stop rule of a user's own, in a process of its own.

    python -P -m skint.rule USES [--base DIR]           judge the group on standard input
    python -P -m skint.rule USES --check [--base DIR]   whether there is such a rule

`USES` is `module:function` or `./file.py:function`. The function is given the group as plain data
and the options of the plan by name, and gives nothing back where all is well; else a sentence,
which stops the group, or `{"action": "warn", "scope": "group", "sentence": …}`:

    def too_slow(group, most_s=600):
        if (group["left_s"] or 0) > most_s:
            return f"{group['left_s']:.0f} s to go"

Both print one line of JSON and end with 0, or 2 where it went wrong.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from skint.errors import OK, USAGE, SkintError
from skint.job import import_target, nearest
from skint.worker import HiddenModule, in_a_line, place

ACTIONS = ("go-on", "warn", "stop")
SCOPES = ("attempt", "group", "run")
LONGEST = 500
"""Characters of a sentence that are kept."""


class RuleError(SkintError):
    """There is no such rule, or it says what no rule may say."""

    exit_code = USAGE


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m skint.rule", allow_abbrev=False)
    parser.add_argument("uses", metavar="USES")
    parser.add_argument("--base", default=".", metavar="DIR", help="the plan's folder")
    parser.add_argument("--check", action="store_true", help="only whether there is such a rule")
    options = parser.parse_args(arguments)
    base = Path(options.base).resolve()
    # What the user's module prints must not get into the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    try:
        sys.meta_path.insert(0, HiddenModule(base))
        function = find_rule(options.uses, base, asked.get("options", {}))
        said = None if options.check else function(asked["group"], **asked.get("options", {}))
        answer = verdict_of(options.uses, said)
    except SkintError as error:
        parts = {"where": error.where, "got": error.got, "wanted": error.wanted}
        answer = {"error": {"what": error.what, **parts, "next": error.next}}
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        what, where = f"{options.uses} failed", place(error, base)
        answer = {"error": {"what": what, "where": where, "got": in_a_line(error)}}
    sys.stdout.flush()
    with open(answer_to, "w", encoding="utf-8") as file:
        file.write(json.dumps(answer) + "\n")
    return USAGE if "error" in answer else OK


def find_rule(uses: str, base: Path, options: Mapping[str, Any]) -> Callable[..., Any]:
    """The function, which takes a group and these options. Raises RuleError or JobNotFound."""
    name = uses.rpartition(":")[2]
    module = import_target(uses, base)
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise RuleError(
            f"{uses.rpartition(':')[0]} has no function {name}",
            where=module.__file__,
            wanted=", ".join(known) or "a function of one group",
            next=nearest(name, known),
        )
    signature = inspect.signature(function)
    try:
        signature.bind({}, **options)
    except TypeError as error:
        raise RuleError(
            f"{uses} does not take these options: {error}",
            where=module.__file__,
            got=", ".join(["group", *options]),
            wanted=f"{name}{signature}",
        ) from None
    return function  # type: ignore[no-any-return]


def verdict_of(uses: str, said: object) -> dict[str, Any]:
    """What a rule gave back, with every part. Raises RuleError for what means nothing."""
    if said is None or said is False:
        return {"action": "go-on", "scope": "group", "sentence": ""}
    found = {"action": "stop", "sentence": said} if isinstance(said, str) else said
    wanted = 'nothing, a sentence, or {"action": "warn", "scope": "group", "sentence": "..."}'
    parts: dict[str, Any] = {"action": "stop", "scope": "group", "sentence": ""}
    if not isinstance(found, Mapping) or not set(found) <= set(parts):
        raise RuleError(f"{uses} gave back what means nothing", got=repr(said), wanted=wanted)
    parts |= found
    wrong = parts["action"] not in ACTIONS or parts["scope"] not in SCOPES
    sentence = parts["sentence"]
    if wrong or not isinstance(sentence, str) or not (sentence or parts["action"] == "go-on"):
        actions, scopes = " or ".join(ACTIONS), " or ".join(SCOPES)
        wanted = f"action {actions}, scope {scopes}, and a sentence"
        raise RuleError(f"{uses} gave back what means nothing", got=repr(said), wanted=wanted)
    return {**parts, "sentence": " ".join(sentence.split())[:LONGEST]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
