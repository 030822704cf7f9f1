"""Secrets and home folders are taken out of words before they are kept or sent. Pure.

What a job prints or raises may quote anything of its environment. Patterns find the tokens of
services by their form; values of variables that a plan passes on are found as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from notifiers.base import Curve, Notice
from orchestrator.graph import Graph

HIDDEN = "[hidden]"

SHORTEST_SECRET = 6
"""A shorter value of a variable, such as `0` or `true`, stands in texts by chance."""

PUBLIC = frozenset({"CUDA_VISIBLE_DEVICES", "HOME", "LANG", "PATH", "PWD", "SHELL", "TERM", "USER"})
"""Variables whose values are no secrets; hiding them would hide what an error is about."""

_SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw(or)?d|passwd|api_?key|access_key|credentials?|webhook_url|_urls)$"
)
# Nothing that is repeated without a limit may be tried from every letter of a long line: the
# scheduler waits for this, and a log may end with 100 kB of base64.
_TOKENS = re.compile(
    r"""
      \bxox[a-z](?:\.xox[a-z])?-[\w-]{6,}     # Slack
    | \bxapp-[\w-]{6,}
    | https://hooks\.slack\.com/[^\s"'<>]+
    | \bhf_[A-Za-z0-9]{10,}                   # Hugging Face
    | \bgh[a-z]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,}
    | \bglpat-[\w-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}            # AWS
    | \bAIza[\w-]{30,}                        # Google
    | \bsk-[\w-]{16,} | \bKGAT_\w{16,}        # OpenAI and others, Kaggle
    | \beyJ[\w-]{8,999}\.eyJ[\w-]{8,9999}\.[\w-]*  # JSON web tokens
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?:.|\n)*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE,
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)(?=\S*[\d=])([\w.~+/=-]{12,})")
_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,40}://)([^\s/@:]*):([^\s/@]+)@")
_PASSWORD = re.compile(
    r"""(?ix)
    ( (?: secret | passw(?:or)?d | passwd | credential ) [\w.-]{0,64} ["']? \s* [:=] \s* ["']? )
    ( [^\s"',;&}\])\[]{6,} )
    """
)
_KEY = re.compile(
    r"""(?ix)
    ( (?: api_?key | access_?key | token | kaggle_key | ["']key ) [\w.-]{0,64} ["']?
      \s* [:=] \s* ["']? )
    ( (?=\S{0,999}\d) [^\s"',;&}\])\[]{12,} )
    """
)
_HOMES = re.compile(r"(?<![\w.-])(?:/home/[^/\s:\"'<>]+|/Users/[^/\s:\"'<>]+|/root)(?![\w.-])")


@dataclass(frozen=True)
class Hidden:
    """What is not to be seen beside what has a known form."""

    values: frozenset[str] = frozenset()
    home: str = ""
    """The home folder of this machine's user, where that is not one of the usual ones."""

    def redact(self, text: str) -> str:
        """Without those values, without what looks like a token or a password, and with `~` for
        home folders. Doing it again changes nothing."""
        for value in sorted(self.values, key=lambda value: (-len(value), value)):
            text = text.replace(value, HIDDEN)
        text = _TOKENS.sub(HIDDEN, text)
        text = _IN_URL.sub(rf"\1{HIDDEN}@", text)
        text = _BEARER.sub(rf"\1\2{HIDDEN}", text)
        text = _PASSWORD.sub(rf"\1{HIDDEN}", text)
        text = _KEY.sub(_hide_key, text)
        if self.home:
            text = text.replace(self.home, "~")
        return _HOMES.sub("~", text)


def _hide_key(found: re.Match[str]) -> str:
    """A number says what an error is about: `token: 1234567890123`."""
    return found[0] if _is_number(found[2]) else found[1] + HIDDEN


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def hidden_of(graphs: Iterable[Graph], environ: Mapping[str, str]) -> Hidden:
    """The values of the variables that the jobs of these graphs are given, and of those that are
    called like secrets; of values with several lines also each line."""
    names = {name for graph in graphs for job in graph.jobs for name in job.env}
    names |= {name for name in environ if _SECRET_NAME.search(name)}
    values = [environ.get(name, "") for name in names - PUBLIC]
    parts = [part.strip() for value in values for part in (value, *value.splitlines())]
    home = environ.get("HOME", "").rstrip("/")
    return Hidden(
        frozenset(part for part in parts if len(part) >= SHORTEST_SECRET),
        home if home.count("/") > 1 else "",
    )


def redacted(notice: Notice, hidden: Hidden) -> Notice:
    """The notice with all that a reader sees of it redacted; keys and buttons' values are ours."""
    clean = hidden.redact
    curve = notice.curve
    if curve is not None:
        series = {clean(name): points for name, points in curve.series.items()}
        curve = Curve(clean(curve.title), clean(curve.metric), series)
    return replace(
        notice,
        title=clean(notice.title),
        lines=tuple(clean(line) for line in notice.lines),
        quoted=tuple(clean(line) for line in notice.quoted),
        fields=tuple((clean(name), clean(value)) for name, value in notice.fields),
        typed=tuple(clean(line) for line in notice.typed),
        curve=curve,
        pictures=tuple(
            replace(one, title=clean(one.title), alt_text=clean(one.alt_text))
            for one in notice.pictures
        ),
        buttons=tuple(replace(one, confirm=clean(one.confirm)) for one in notice.buttons),
    )
