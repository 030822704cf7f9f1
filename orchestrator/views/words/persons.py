"""Who did something, as a person reads it. Pure.

Services name their people by prefix and id, `slack:U0123456789`. The service itself turns that into
a mention; everywhere else it is said in words.
"""

from __future__ import annotations

import re

_ON_SLACK = re.compile(r"\bslack:([UW][A-Z0-9]+)\b")


def in_words(text: str) -> str:
    """ "aborted by a person on Slack (U0123456789)"."""
    return _ON_SLACK.sub(r"a person on Slack (\1)", text)


def by_whom(by: str) -> str:
    """The doer of a command or an answer, within a sentence."""
    return {"cli": "somebody at the command line", "time-out": "nobody in time"}.get(by, by)


def persons_of(*by: str) -> tuple[str, ...]:
    """The ids of those on Slack among the doers of commands and answers, each once."""
    found = (_ON_SLACK.fullmatch(one) for one in by)
    return tuple(dict.fromkeys(one[1] for one in found if one is not None))
