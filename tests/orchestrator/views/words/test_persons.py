from __future__ import annotations

from orchestrator.views.words.persons import by_whom, in_words


def test_a_person_of_a_service_is_said_in_words() -> None:
    assert in_words("aborted by slack:U0123456 at 14:02") == (
        "aborted by a person on Slack (U0123456) at 14:02"
    )


def test_other_words_stay_as_they_are() -> None:
    text = "see slack:general, notslack:U0123456 and slack:u1"
    assert in_words(text) == text


def test_who_typed_and_who_did_not_answer() -> None:
    assert by_whom("cli") == "somebody at the command line"
    assert by_whom("time-out") == "nobody in time"
    assert by_whom("slack:U0123456") == "slack:U0123456"
