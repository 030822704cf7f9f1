from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.base import Button, Curve, Notice, Picture
from orchestrator.words.redaction import HIDDEN, Hidden, hidden_of, redacted
from tests.orchestrator.worlds import kfold

HOME, USERS, ROOT = "/" + "home/ana", "/" + "Users/ana", "/" + "root"
"""Put together, so that no text names a place on somebody's machine."""
WORD = string.ascii_letters + string.digits
PATTERNS = [
    rf"xoxb-[0-9]{{4}}-[{WORD}]{{12}}",
    rf"xoxe\.xoxp-1-[{WORD}]{{20}}",
    rf"xapp-1-[{WORD}]{{12}}",
    rf"hf_[{WORD}]{{20}}",
    rf"ghp_[{WORD}]{{36}}",
    rf"github_pat_[{WORD}]{{30}}",
    r"AKIA[A-Z0-9]{16}",
    rf"sk-[{WORD}]{{24}}",
    r"KGAT_[0-9a-f]{32}",
    rf"eyJ[{WORD}]{{12}}\.eyJ[{WORD}]{{12}}\.[{WORD}]{{12}}",
    rf"https://hooks\.slack\.com/services/T[{WORD}]{{8}}/B[{WORD}]{{8}}/[{WORD}]{{20}}",
]
NAMED = [
    ("Authorization: Bearer ", rf"[{WORD}]{{10}}[0-9][{WORD}]{{8}}"),
    ("password=", rf"[{WORD}]{{8,20}}"),
    ("AWS_SECRET_ACCESS_KEY: ", rf"[{WORD}]{{3}}[a-z][{WORD}]{{30}}"),
    ("KAGGLE_KEY=", r"[0-9a-f]{4}[a-f][0-9][0-9a-f]{20}[g-z]"),
    ('{"username":"ana","key":"', r"[0-9a-f]{4}[a-f][0-9][0-9a-f]{20}[g-z]"),
    ("postgres://ana:", rf"[{WORD}]{{6,20}}"),
]
AROUND = st.text(alphabet=string.printable, max_size=60)


@settings(max_examples=150, deadline=None)
@given(
    token=st.sampled_from(PATTERNS).flatmap(lambda form: st.from_regex(form, fullmatch=True)),
    before=AROUND,
    after=AROUND,
)
def test_a_token_stands_in_no_words_whatever_is_around_it(
    token: str, before: str, after: str
) -> None:
    clean = Hidden().redact(f"{before} {token} {after}")
    assert token not in clean
    assert Hidden().redact(clean) == clean


@settings(max_examples=100, deadline=None)
@given(
    known=st.sampled_from(NAMED).flatmap(
        lambda two: st.tuples(st.just(two[0]), st.from_regex(two[1], fullmatch=True))
    ),
    before=AROUND,
)
def test_what_is_called_a_secret_is_hidden(known: tuple[str, str], before: str) -> None:
    name, value = known
    clean = Hidden().redact(f"{before} {name}{value}@db/x and more")
    assert value not in clean
    assert HIDDEN in clean
    assert clean.endswith("and more")


@settings(max_examples=100, deadline=None)
@given(value=st.text(min_size=6, max_size=40).filter(str.strip), text=AROUND)
def test_the_value_of_a_variable_that_is_passed_on_is_hidden_wherever_it_stands(
    value: str, text: str
) -> None:
    graph = kfold()
    jobs = tuple(replace(job, env=("MY_TOKEN",)) for job in graph.jobs)
    hidden = hidden_of([replace(graph, jobs=jobs)], {"MY_TOKEN": value, "OTHER": "other-value"})
    if len(value.strip()) < 6:
        return
    assert value.strip() not in hidden.redact(f"{text}{value}{text}").replace(HIDDEN, "")
    assert hidden.redact("other-value") == "other-value"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"log: {HOME}/runs/s-1/log.txt", "log: ~/runs/s-1/log.txt"),
        (f'File "{USERS} b/x.py"', 'File "~ b/x.py"'),
        (f"{ROOT}/.cache: no space", "~/.cache: no space"),
        (f"/rooted/x /data{HOME}", f"/rooted/x /data{HOME}"),
        ("in /srv/people/ana/x", "in ~/x"),
        ("unknown key: learning_rate", "unknown key: learning_rate"),
        ("unexpected token: identifier", "unexpected token: identifier"),
        ("epoch=3 lr=0.001 seed: 1234567890123456", "epoch=3 lr=0.001 seed: 1234567890123456"),
        ("basic classification of cats", "basic classification of cats"),
        ("max_token: 1234567890123456", "max_token: 1234567890123456"),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("sha256 3f2a9c0d1e4b5a6978c1d2e3f4a5b6c7", "sha256 3f2a9c0d1e4b5a6978c1d2e3f4a5b6c7"),
    ],
)
def test_what_an_error_is_about_stays(text: str, clean: str) -> None:
    assert Hidden(home="/srv/people/ana").redact(text) == clean


def test_home_and_secrets_come_from_the_environment() -> None:
    graph = kfold()
    jobs = tuple(replace(job, env=("KEY", "FLAG", "PATH")) for job in graph.jobs)
    environ = {
        "KEY": "first line\nsecond line",
        "FLAG": "1",
        "PATH": "/usr/bin",
        "HOME": "/srv/ana/",
    }
    hidden = hidden_of([replace(graph, jobs=jobs)], environ)
    assert hidden.home == "/srv/ana"
    assert hidden.values == {"first line\nsecond line", "first line", "second line"}


def test_what_is_called_like_a_secret_is_hidden_though_no_job_is_given_it() -> None:
    environ = {"SKINT_WEBHOOK_SECRET": "rain-or-shine", "TOKENIZERS_PARALLELISM": "sometimes"}
    assert hidden_of([kfold()], environ).values == {"rain-or-shine"}


def test_everything_of_a_notice_that_is_seen_is_redacted() -> None:
    token = "hf_" + "a1" * 12
    notice = Notice(
        "s-1", "alert", "k", token, (token,), ((token, token),),
        Curve(token, token, {token: ((1.0, 0.5),)}),
        pictures=(Picture(f"{HOME}/x.png", token, token),),
        buttons=(Button("Stop", "{}", confirm=token),),
        typed=(token,),
    )  # fmt: skip
    clean = redacted(notice, Hidden())
    assert token not in clean.to_json()
    assert clean.pictures[0].path == f"{HOME}/x.png"  # read when it is sent, not shown


def test_a_line_without_an_end_is_read_as_fast_as_lines_are() -> None:
    line = "a" * 300_000  # in time of its square this takes an hour

    assert Hidden().redact(f"{line} password={line}") == f"{line} password={HIDDEN}"
