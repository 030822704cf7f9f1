"""Totals of hours and days against a plain sum over all lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.ledger import AccountNotFound, Ledger, audit, total
from budget.ledger.line import Charge, Span
from budget.ledger.rows import insert_line
from budget.ledger.usage import InFlight, Settled, Used
from budget.windows import FirstUse

START_MS = 1_795_219_200_000
PAST_MS = 200 * DAY_MS

INSTANTS = st.one_of(
    st.integers(-PAST_MS, PAST_MS),
    st.integers(-3 * HOUR_MS, 3 * HOUR_MS),
    st.integers(-60, 60).map(lambda n: n * HOUR_MS),
    st.integers(-9, 9).map(lambda n: n * DAY_MS),
).map(lambda ms: START_MS + ms)

LENGTHS = st.one_of(
    st.just(0),
    st.integers(0, 3 * HOUR_MS),
    st.integers(0, 17).map(lambda n: MINUTE_MS << n),
    st.integers(0, 90 * DAY_MS),
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """What a settlement, an adjustment or a refund may be."""
    start_ms, length_ms = draw(INSTANTS), draw(LENGTHS)
    rate_milli = draw(st.sampled_from([1_000, 2_000, 333, 1_190, 8_000]))
    exact_ms = -(-rate_milli * length_ms // 1_000)
    amount_ms = draw(
        st.sampled_from([exact_ms, exact_ms + 777, -exact_ms, -(exact_ms // 3), 60_000, -60_000])
    )
    return Span(start_ms, start_ms + length_ms, rate_milli, amount_ms)


BOOKED = st.lists(st.tuples(spans(), st.sampled_from(["lab", "child", "other"])), max_size=12)


def booked(entries: list[tuple[Span, str]]) -> Ledger:
    """A ledger in memory with these lines; `child` is a sub-budget of `lab`."""
    ledger = Ledger(":memory:")
    for name, parent in (("lab", ""), ("child", "lab"), ("other", "")):
        account = Account(name, "machine", "local", (weekly(HOUR_MS),), parent=parent)
        ledger.add_account(account, 0)
    with ledger._file.transaction() as connection:
        for number, (span, name) in enumerate(entries):
            line = Charge(
                str(number), "adjustment", name, "", span.start_ms, span.end_ms, 1, "",
                span.rate_milli, 0, span.amount_ms, 0, "why",
            )  # fmt: skip
            insert_line(connection, line, (name, "lab") if name == "child" else (name,), {})
    return ledger


@settings(max_examples=150, deadline=None)
@given(BOOKED, INSTANTS, INSTANTS)
def test_any_span_sums_to_what_the_lines_have_in_it(
    entries: list[tuple[Span, str]], one_ms: int, other_ms: int
) -> None:
    """Edge 29: exactly, whatever is in it."""
    a_ms, b_ms = sorted((one_ms, other_ms))
    with booked(entries) as ledger, ledger._file.transaction() as connection:
        right_ms = sum(span.between(a_ms, b_ms) for span, name in entries if name != "other")
        assert total.between(connection, "lab", ("lab", "child"), a_ms, b_ms) == right_ms
        right_ms = sum(span.between(a_ms, b_ms) for span, name in entries if name == "child")
        assert total.between(connection, "child", ("child",), a_ms, b_ms) == right_ms
        said = audit.disagreements(connection)
        assert [sentence for sentence in said if "total" in sentence or "length" in sentence] == []


@settings(max_examples=150, deadline=None)
@given(BOOKED, INSTANTS)
def test_the_first_use_is_that_of_the_first_line_that_uses_something(
    entries: list[tuple[Span, str]], at_ms: int
) -> None:
    with booked(entries) as ledger, ledger._file.transaction() as connection:
        mine = [span for span, name in entries if name != "other" and span.amount_ms > 0]
        using = [span for span in mine if span.start_ms <= at_ms < span.end_ms]
        later = [span.start_ms for span in mine if span.start_ms >= at_ms]
        first_ms = Settled(connection, "lab", ("lab", "child")).first_from(at_ms)
        assert first_ms == (at_ms if using else min(later, default=None))


def _paid_in_full(span: Span) -> Span:
    if span.amount_ms <= 0:
        return span
    cost_ms = -(-span.rate_milli * (span.end_ms - span.start_ms) // 1_000)
    return replace(span, amount_ms=max(span.amount_ms, cost_ms))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(spans(), st.sampled_from(["lab", "child", "other"])), max_size=25),
    INSTANTS,
    st.sampled_from([12 * HOUR_MS, DAY_MS, 5 * DAY_MS]),
)
def test_windows_from_the_first_use_are_the_same_without_the_use_before_a_long_idle_time(
    entries: list[tuple[Span, str]], now_ms: int, length_ms: int
) -> None:
    # Nothing is charged less than its time costs; what is given back may be any part of it.
    entries = [(_paid_in_full(span), name) for span, name in entries]
    rule = FirstUse(length_ms)
    with booked(entries) as ledger, ledger._file.transaction() as connection:
        used = Used(Settled(connection, "lab", ("lab", "child")), InFlight((), now_ms))
        short = used.since_idle(now_ms, length_ms)
        assert rule.window_at(now_ms, short) == rule.window_at(now_ms, used)
        assert rule.next_gain_ms(now_ms, short) == rule.next_gain_ms(now_ms, used)


def test_use_before_a_long_idle_time_is_not_looked_at(ledger: Ledger) -> None:
    ledger.add_account(Account("lab", "machine", "local", (weekly(10**11),)), 0)
    for day in (0, 1, 2, 5, 6):
        ledger.adjust("lab", 1, "by hand", START_MS + day * DAY_MS, str(day))
    with ledger._file.transaction() as connection:
        for now_ms, first_ms in (
            (START_MS + 7 * DAY_MS, START_MS + 5 * DAY_MS - HOUR_MS),
            (START_MS + 2 * DAY_MS + 1, 0),
            (START_MS + 9 * DAY_MS, START_MS + 9 * DAY_MS - HOUR_MS),
        ):
            assert total.resumed(connection, "lab", now_ms, 2 * DAY_MS) == first_ms


@settings(max_examples=60, deadline=None)
@given(BOOKED)
def test_totals_that_are_computed_again_are_those_that_were_kept(
    entries: list[tuple[Span, str]],
) -> None:
    def kept(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
        rows = connection.execute("SELECT * FROM total WHERE amount_ms != 0 ORDER BY 1, 2, 3")
        return rows.fetchall()

    with booked(entries) as ledger, ledger._file.transaction() as connection:
        before = kept(connection)
        connection.execute("DELETE FROM total")
        connection.execute("DROP TRIGGER line_fixed")
        total.fill(connection)
        assert kept(connection) == before


@pytest.mark.parametrize(
    ("length_ms", "reach"),
    [
        (0, 0),
        (MINUTE_MS, 0),
        (MINUTE_MS + 1, 1),
        (2 * MINUTE_MS, 1),
        (HOUR_MS, 6),
        (65_536 * MINUTE_MS, 16),
        (65_536 * MINUTE_MS + 1, total.LONG_REACH),
        (3660 * DAY_MS, total.LONG_REACH),
    ],
)
def test_a_line_is_filed_under_its_length(length_ms: int, reach: int) -> None:
    assert total.reach(Span(5, 5 + length_ms, 1, 1)) == reach


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        yield opened


def test_a_line_of_ten_years_fills_no_total_and_is_counted(ledger: Ledger) -> None:
    ledger.add_account(Account("lab", "machine", "local", (weekly(10**11),)), 0)
    ledger.reserve(
        id="a", account="lab", owner="run", devices=1, amount_ms=HOUR_MS, now_ms=START_MS
    )
    end_ms = START_MS + 3650 * DAY_MS
    ledger.settle("a", START_MS, end_ms, shares={}, now_ms=end_ms)
    assert ledger.balance("lab", START_MS + DAY_MS).settled_ms == 7 * DAY_MS
    with ledger._file.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM total").fetchone() == (0,)
    assert ledger.check() == ()


def test_a_hundred_thousand_small_charges_sum_exactly(ledger: Ledger) -> None:
    """Edge 29: integers do not drift. `benchmarks/ledger.py` does it with a million."""
    ledger.add_account(Account("lab", "machine", "local", (weekly(10**11),)), 0)
    with ledger._file.transaction() as connection:
        connection.execute(
            "WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 99999)"
            " INSERT INTO line SELECT 'a' || n, 'adjustment', 'lab', '', ?1 + n * 3, ?1 + n * 3, 1,"
            " '', 0, 0, 1 + n % 3, 0, 'why', NULL, 0 FROM n",
            (START_MS,),
        )
        total.fill(connection)
    assert ledger.balance("lab", START_MS).settled_ms == 33_334 + 33_333 * 2 + 33_333 * 3


def test_what_was_charged_by_then_is_what_the_lines_say(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        for name, parent in (("lab", ""), ("ana", "lab")):
            limit = weekly(30 * HOUR_MS)
            made = Account(name, "simulated", "simulated", limits=(limit,), parent=parent)
            ledger.add_account(made, START_MS)
        for hour, name in ((1, "lab"), (2, "ana"), (4, "lab")):
            at_ms = START_MS + hour * HOUR_MS
            ledger.adjust(name, hour * HOUR_MS, "used", START_MS + DAY_MS, f"{hour}", at_ms=at_ms)
        instants = [START_MS + hour * HOUR_MS for hour in (0, 1, 2, 3, 5)]
        assert ledger.charged_by_then("lab", instants) == tuple(
            hours * HOUR_MS for hours in (0, 0, 1, 3, 7)
        )
        assert ledger.charged_by_then("ana", instants)[-1] == 2 * HOUR_MS
        with pytest.raises(AccountNotFound):
            ledger.charged_by_then("nobody", instants)
