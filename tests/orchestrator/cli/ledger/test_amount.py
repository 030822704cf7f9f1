"""Amounts and instants as they are typed, wrong ones included."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget.duration import HOUR_MS, LONGEST_MS, MINUTE_MS
from orchestrator.cli.ledger.amount import SignedParser, parse_amount, parse_instant
from skint.errors import USAGE, SkintError


@pytest.mark.parametrize(
    ("text", "amount_ms"),
    [
        ("+1.5h", 90 * MINUTE_MS),
        ("-30m", -30 * MINUTE_MS),
        ("- 30m", -30 * MINUTE_MS),
        (" -1h30m", -90 * MINUTE_MS),
        ("2h", 2 * HOUR_MS),
        ("+0h", 0),
    ],
)
def test_a_signed_amount_of_hours_is_read(text: str, amount_ms: int) -> None:
    assert parse_amount(text, "session", signed=True) == amount_ms


@pytest.mark.parametrize(
    ("text", "amount_ms"),
    [
        ("100", 100 * HOUR_MS),
        ("12.5 credits", 45_000_000),
        ("1 credit", HOUR_MS),
        ("-3", -3 * HOUR_MS),
    ],
)
def test_an_amount_of_credits_needs_no_unit(text: str, amount_ms: int) -> None:
    assert parse_amount(text, "credit", signed=True) == amount_ms


@pytest.mark.parametrize(
    ("text", "unit", "signed", "why"),
    [
        ("30", "device", True, "no unit"),
        ("-30", "device", True, "no unit"),
        ("--30m", "device", True, "negative"),
        ("+-30m", "device", True, "negative"),
        ("-30m", "device", False, "negative"),
        ("", "device", True, "empty"),
        ("-", "device", True, "empty"),
        ("1e3h", "device", True, "unknown unit"),
        ("nan", "device", True, "cannot read"),
        ("200000h", "device", True, "ten years"),
        ("-3", "credit", False, "negative"),
        ("3h", "credit", True, "counts credits"),
        ("inf", "credit", True, "counts credits"),
        ("", "credit", True, "empty"),
        ("0.00000001", "credit", True, "finer"),
        ("99999999999", "credit", True, "more than"),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(
    text: str, unit: str, signed: bool, why: str
) -> None:
    with pytest.raises(SkintError, match=why) as caught:
        parse_amount(text, unit, signed=signed, where="--used")
    assert caught.value.exit_code == USAGE
    assert caught.value.where == "--used"
    assert caught.value.wanted


@given(st.text(max_size=12), st.sampled_from(["device", "session", "credit"]))
def test_no_text_is_read_as_an_absurd_amount(text: str, unit: str) -> None:
    try:
        amount_ms = parse_amount(text, unit, signed=True)
    except SkintError as error:
        assert error.exit_code == USAGE
    else:
        assert abs(amount_ms) <= LONGEST_MS


@pytest.mark.parametrize(
    "text", ["2026-11-28T00:00Z", "2026-11-28 01:00+01:00", "2026-11-27T19:00:00.000-05:00"]
)
def test_an_instant_is_read_with_its_zone(text: str) -> None:
    assert parse_instant(text) == int(datetime(2026, 11, 28, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-28T00:00", "no zone"),
        ("2026-11-28", "no zone"),
        ("2026-02-30T00:00Z", "cannot be read"),
        ("tomorrow", "cannot be read"),
        ("1969-12-31T23:59Z", "before 1970"),
        ("9999-01-01T00:00Z", "after 9892"),
    ],
)
def test_what_is_no_instant_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(SkintError, match=why) as caught:
        parse_instant(text, where="--at")
    assert caught.value.exit_code == USAGE


def test_an_instant_without_a_zone_says_what_to_type() -> None:
    with pytest.raises(SkintError) as caught:
        parse_instant("2026-11-28")
    assert caught.value.next == "2026-11-28T00:00Z for UTC"


@pytest.mark.parametrize("word", ["-30m", "-.5h", "+1h", "-3"])
def test_a_parser_takes_a_signed_amount_for_no_option(word: str) -> None:
    parser = argparse.ArgumentParser()
    actions = parser.add_subparsers(dest="action", parser_class=SignedParser)
    adjust = actions.add_parser("adjust")
    adjust.add_argument("amount")
    adjust.add_argument("--reason")
    read = parser.parse_args(["adjust", word, "--reason", "a test"])
    assert (read.amount.strip(), read.reason) == (word, "a test")
