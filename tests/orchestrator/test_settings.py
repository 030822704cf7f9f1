"""What a person sets once, and what it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.home import Home
from orchestrator.plans.plan import load_plan
from orchestrator.serving import scheduler_in
from orchestrator.settings import (
    KNOWN,
    Settings,
    SettingsError,
    check,
    check_notify,
    read_flat,
    read_settings,
    settings_path,
    with_settings,
    write_flat,
)

PLAN = "name: toy\njobs: {it: {run: 'true', devices: 1}}\n"


def file_of(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}) == Settings()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    flat = {
        "account": "lab",
        "cpus": 3,
        "dashboard.read-only": True,
        "notify.console": None,
        "notify.slack.channel": "C0123456789",
        "notify.slack.allow": ["U0123456789"],
    }
    write_flat(settings_path(tmp_path, {}), flat)
    assert read_flat(settings_path(tmp_path, {})) == flat
    slack = {"channel": "C0123456789", "allow": ["U0123456789"]}
    expected = Settings("lab", 3, True, {"console": {}, "slack": slack})
    assert read_settings(tmp_path, {}) == expected


def test_another_file_may_be_named(tmp_path: Path) -> None:
    file_of(tmp_path, "account: here\n")
    other = tmp_path / "other.yaml"
    other.write_text("account: there\n")
    assert read_settings(tmp_path, {"SKINT_CONFIG": str(other)}).account == "there"


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("account: lab\nacount: lab\n", "no such setting", ":2"),
        ("cpus: many\n", "cpus cannot be that", ":1"),
        ("cpus: 0\n", "cpus cannot be that", ":1"),
        ("version: 99\n", "newer skint", ""),
        ("- account\n", "no settings", ""),
        ("account: [\n", "not YAML", ":2"),
        ("notify: {slak: {}}\n", "unknown notifier", ""),
        ("notify: {slack: {channel: C0123456789, loud: 1}}\n", "unknown setting", ""),
        ("notify: {slack: {channel: xoxb-1234567890-abcdef}}\n", "looks like a secret", ":1"),
    ],
)
def test_what_does_not_belong_there_is_one_error(
    tmp_path: Path, text: str, said: str, line: str
) -> None:
    path = file_of(tmp_path, text)
    with pytest.raises(SettingsError, match=said) as caught:
        read_settings(tmp_path, {})
    assert f"{path}{line}" in str(caught.value)
    assert "xoxb-1234567890" not in str(caught.value)


def test_a_secret_is_refused_whatever_it_is_called() -> None:
    with pytest.raises(SettingsError, match="looks like a secret"):
        check("account", "hf_abcdefghijklmnop", "here")


def test_settings_of_a_notifier_are_checked_together() -> None:
    with pytest.raises(SettingsError, match="time zone"):
        check_notify(
            {"notify.slack.channel": "C0123456789", "notify.slack.quiet": "22:00-07:00"}, "here"
        )


def test_every_setting_says_what_it_does() -> None:
    assert all(one.effect and one.wanted for one in KNOWN.values())


def test_a_plan_that_leaves_it_open_has_account_and_notifiers_of_the_settings(
    tmp_path: Path,
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    settings = Settings(account="lab", notify={"console": {}})
    plan, settled = with_settings(load_plan(tmp_path / "plan.yaml"), settings)
    assert (plan.spec.account, plan.spec.notify) == ("lab", {"console": {}})
    assert settled == ("account", "notify")


def test_cpu_jobs_share_as_many_cores_as_the_settings_say(tmp_path: Path) -> None:
    write_flat(settings_path(tmp_path, {}), {"cpus": 1})
    with scheduler_in(Home(tmp_path)) as serving:
        assert serving.scheduler.executors["local"].capacity().cpus == 1


def test_what_a_plan_says_itself_holds(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(f"account: mine\nnotify: {{memory: {{}}}}\n{PLAN}")
    settings = Settings(account="lab", notify={"console": {}})
    plan, settled = with_settings(load_plan(tmp_path / "plan.yaml"), settings)
    assert (plan.spec.account, list(plan.spec.notify), settled) == ("mine", ["memory"], ())
