"""1,000 notices over 20 runs through everything that goes wrong: nothing lost, nothing doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestrator.words.storm import Storm, Weather


@pytest.mark.slow
@pytest.mark.soak
def test_every_last_state_arrives_and_no_reply_is_lost_or_doubled_or_out_of_order(
    tmp_path: Path, storm: int
) -> None:
    """Edges 16 and 48: 429s, 500s, time-outs, lost answers, a dead day, kill -9 of the sender."""
    raged = Storm(Weather(seed=storm), tmp_path)
    complaints = raged.rage()
    assert not complaints, f"seed {storm}: " + "\n".join(complaints)


@pytest.mark.parametrize(
    ("mutant", "complaints_of_it"),
    [
        ("never-looks", ["perhaps a repeat"]),
        ("marks-first", ["thread of", "0 pictures, not 1"]),  # a notice is lost, or its picture
        ("forgets-the-head", ["outside of any thread"]),
    ],
)
def test_a_wrong_outbox_does_not_weather_it(
    tmp_path: Path, mutant: str, complaints_of_it: list[str]
) -> None:
    small = Weather(
        0, runs=3, notices=30, failures=30, time_outs=0, kills=1, dead_day=False, mutant=mutant
    )
    complaints = Storm(small, tmp_path).rage()
    assert any(said in one for said in complaints_of_it for one in complaints), complaints
