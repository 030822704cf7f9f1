from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from notifiers import catalog
from notifiers.base import NotifierSettingsError
from orchestrator.graph import Graph
from orchestrator.words.notifying import check_notify, notifiers_for, places
from skint.errors import CREDENTIALS, USAGE
from tests.orchestrator.worlds import kfold

TOKEN = {"SLACK_BOT_TOKEN": "xoxb-1-2-abc"}
SLACK = {"slack": {"channel": "C0123456"}}


def graph(**notify: dict[str, Any]) -> Graph:
    return replace(kfold(), notify=notify)


def test_a_plan_that_names_no_place_is_told_on_the_console() -> None:
    assert places(graph()) == ("console",)
    assert places(graph(**SLACK)) == ("slack:C0123456",)
    assert places(graph(console={}, **SLACK)) == ("console", "slack:C0123456")


@pytest.mark.parametrize(
    ("kind", "settings"), [("console", {}), ("memory", {}), ("slack", {"channel": "C0123456"})]
)
def test_a_place_has_the_name_of_its_notifier(kind: str, settings: dict[str, Any]) -> None:
    assert catalog.place(kind, settings) == catalog.load(kind, settings, TOKEN).name


def test_there_is_one_notifier_a_place() -> None:
    other = graph(slack={"channel": "C9999999"})
    found = notifiers_for([graph(), graph(**SLACK), graph(**SLACK), other], TOKEN)
    assert [*found] == ["console", "slack:C0123456", "slack:C9999999"]
    assert {name: notifier.name for name, notifier in found.items()} == {n: n for n in found}


def test_a_missing_token_is_an_error_before_the_run_is_queued() -> None:
    check_notify(graph(**SLACK), TOKEN)
    with pytest.raises(NotifierSettingsError, match="SLACK_BOT_TOKEN is not set") as caught:
        check_notify(graph(**SLACK), {})
    assert caught.value.exit_code == CREDENTIALS
    assert "export SLACK_BOT_TOKEN=xoxb-… and run this again" in str(caught.value.next)


def test_a_plan_that_names_no_place_is_checked_without_a_notifier() -> None:
    program = (
        "import sys; from orchestrator.words.notifying import check_notify;"
        " from orchestrator.graph import Graph; check_notify(Graph('plain', None, '.', ()));"
        " print([name for name in sys.modules if name.startswith('notifiers')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_a_wrong_setting_is_an_error_before_the_run_is_queued() -> None:
    with pytest.raises(NotifierSettingsError, match="named by its ID") as caught:
        check_notify(graph(slack={"channel": "#general"}), TOKEN)
    assert caught.value.exit_code == USAGE


def test_a_scheduler_without_the_token_goes_on_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert [*notifiers_for([graph(**SLACK), graph()], {})] == ["console"]
    assert "notices for slack:C0123456 wait in the outbox" in caplog.text
    assert "SLACK_BOT_TOKEN is not set" in caplog.text
