"""`skint doctor`: what each check says of a machine that was made for it."""

from __future__ import annotations

import os
import sqlite3
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.ledger import Ledger
from budget.ledger.network_disk import Disk
from orchestrator.checkup import accounts, clock, disk, extras, files, limits, python, slack
from orchestrator.checkup.all import CHECKS, look
from orchestrator.checkup.finding import Finding
from orchestrator.checkup.machine import Machine
from orchestrator.checkup.scheduler import complaints, of_this_version
from orchestrator.checkup.training import Driver, Torch, ask_torch, compared
from orchestrator.home import Home
from orchestrator.settings import Settings, read_flat, settings_path
from orchestrator.store.store import Store

GB = 10**9


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    home = tmp_path / "home #1?"  # SQLite is given addresses, where these mean something
    home.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    return Machine(Home(home), {"SKINT_DEVICES": "simulated"}, root=root, cores=8)


def only(findings: Iterator[Finding]) -> Finding:
    (one,) = findings
    return one


def written(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_a_machine_that_was_never_used_is_well(machine: Machine) -> None:
    names = ("files", "disk", "slack", "scheduler")
    assert [one for one in look(machine, names) if one.level == "bad"] == []


def test_what_is_wrong_says_what_mends_it(machine: Machine) -> None:
    machine.home.ledger.write_bytes(b"no ledger")
    machine.home.store.write_bytes(b"no store at all, and long enough to be looked at" * 100)
    found = list(look(machine, tuple(n for n in CHECKS if n != "training")))
    wrong = [one for one in found if one.level == "bad"]
    assert {"ledger", "store"} <= {one.check for one in wrong}
    assert all(one.fix for one in wrong)


# --- files and accounts --------------------------------------------------------------------------


def test_files_that_are_whole_are_counted(machine: Machine) -> None:
    Store(machine.home.store).close()
    with Ledger(machine.home.ledger) as ledger:
        ledger.add_account(preset("simulated", "practice"), 0)
    assert [one.level for one in files.look(machine)] == ["ok", "ok", "ok"]
    assert [(one.check, one.level) for one in accounts.look(machine)] == [
        ("account practice", "ok")
    ]


def test_a_damaged_page_of_the_ledger_is_found(machine: Machine) -> None:
    with Ledger(machine.home.ledger) as ledger:
        for number in range(200):
            ledger.add_account(preset("simulated", f"a{number}"), 0)
    content = bytearray(machine.home.ledger.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    machine.home.ledger.write_bytes(content)
    assert next(files.look(machine)).level == "bad"


def test_a_file_that_cannot_be_opened_is_not_called_damaged(machine: Machine) -> None:
    machine.home.store.mkdir()
    (one,) = [one for one in look(machine, ("files",)) if one.level == "bad"]
    assert "could not be looked at" in one.said
    assert not one.fix


def test_a_store_of_a_newer_skint_is_told(machine: Machine) -> None:
    Store(machine.home.store).close()
    with sqlite3.connect(machine.home.store) as connection:
        connection.execute("PRAGMA user_version=99")
    store = [one for one in files.look(machine) if one.check == "store"]
    assert "newer" in only(iter(store)).said


def test_an_account_that_only_a_provider_can_use_is_told(machine: Machine) -> None:
    with Ledger(machine.home.ledger) as ledger:
        ledger.add_account(preset("kaggle-gpu"), 0)
    found = list(accounts.look(machine))
    assert [one.level for one in found] == ["warn", "warn"]
    assert "skint account add practice" in found[0].fix
    assert "never read" in found[1].said


def test_an_account_of_the_settings_that_is_not_there_is_bad(machine: Machine) -> None:
    named = Machine(machine.home, machine.environ, settings=Settings(account="gone"))
    assert [one.level for one in accounts.look(named)] == ["warn", "bad"]


# --- the clock and the disk ----------------------------------------------------------------------


def test_events_of_the_future_tell_that_the_clock_was_set_back(machine: Machine) -> None:
    Store(machine.home.store).close()
    now_s = time.time()
    with sqlite3.connect(machine.home.store) as connection:
        row = (round((now_s + 3600) * 1000), "r", "RunSubmitted", "{}")
        connection.execute("INSERT INTO event (at_ms, run, kind, data) VALUES (?, ?, ?, ?)", row)
    assert "60 min in the future" in only(clock.future(machine.home.store, now_s)).said
    assert list(clock.future(machine.home.store, now_s + 7200)) == []


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (Disk("ext4"), "ok"),
        (Disk("nfs4"), "warn"),
        (Disk("nfs4", "other machines do not see the locks"), "bad"),
    ],
)
def test_a_network_disk_is_told_and_one_without_locks_is_bad(kind: Disk, level: str) -> None:
    assert disk.kind_of(Path("/there"), kind).level == level


@pytest.mark.parametrize(
    ("free", "inodes", "level"),
    [
        (GB // 2, None, "bad"),
        (5 * GB, 10**6, "warn"),
        (50 * GB, 100, "bad"),
        (50 * GB, 10**6, "ok"),
    ],
)
def test_little_room_is_told(free: int, inodes: int | None, level: str) -> None:
    assert disk.room("room", Path("/there"), free, inodes).level == level


def test_a_home_that_everybody_may_write_to_is_closed(machine: Machine) -> None:
    machine.home.path.chmod(0o777)
    found = next(disk.look(machine))
    assert (found.level, found.check) == ("warn", "home")
    assert found.repair is not None and found.repair()
    assert machine.home.path.stat().st_mode & 0o777 == 0o775


# --- limits of a container -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "name", "text"),
    [
        ("0::/box/inner\n", "sys/fs/cgroup/box/cpu.max", "200000 100000\n"),
        ("0::/\n", "sys/fs/cgroup/cpu.max", "200000 100000\n"),
        ("3:cpu,cpuacct:/box\n", "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "200000\n"),
    ],
)
def test_cores_that_a_container_may_not_use_are_seen_and_the_setting_is_made(
    machine: Machine, groups: str, name: str, text: str
) -> None:
    written(machine.root, "proc/self/cgroup", groups)
    written(machine.root, name, text)
    written(machine.root, "sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n")
    found = next(limits.look(machine))
    assert (found.level, found.fix) == ("warn", "skint config set cpus 2")
    assert found.repair is not None and found.repair()
    assert read_flat(settings_path(machine.home.path, {}))["cpus"] == 2
    told = Machine(machine.home, {}, root=machine.root, cores=8, settings=Settings(cpus=2))
    assert next(limits.look(told)).level == "ok"


def test_without_a_limit_all_cores_are_used(machine: Machine) -> None:
    written(machine.root, "proc/self/cgroup", "0::/box\n")
    written(machine.root, "sys/fs/cgroup/box/cpu.max", "max 100000\n")
    assert limits.cores_allowed(machine.root) is None


def test_memory_is_that_of_the_container(machine: Machine) -> None:
    written(machine.root, "proc/meminfo", "MemTotal:       32000000 kB\n")
    written(machine.root, "proc/self/cgroup", "0::/box\n")
    written(machine.root, "sys/fs/cgroup/box/memory.max", str(2 << 30))
    assert limits.memory_allowed_mib(machine.root) == 2048


# --- packages, drivers, tokens, the log ----------------------------------------------------------


def test_a_file_that_hides_a_package_of_skint_is_told(tmp_path: Path) -> None:
    assert list(python.beside(tmp_path)) == []
    (tmp_path / "budget.py").touch()
    found = only(python.beside(tmp_path))
    assert found.level == "warn" and "budget" in found.said


def test_a_package_of_pypi_with_a_name_of_ours_is_bad() -> None:
    found = only(python.strangers({"notifiers"}))
    assert found.level == "bad" and "pip uninstall -y notifiers" in found.fix


def test_a_scheduler_that_is_older_than_the_code_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = os.getpid()
    assert of_this_version(machine.home, pid, 0.0).level == "ok"
    found = of_this_version(machine.home, pid, time.time() + 60)
    assert found.level == "warn" and found.repair is not None
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    found = of_this_version(machine.home, pid, time.time() + 60)
    assert found.level == "warn" and found.repair is None, "that of somebody else is left alone"


def test_every_extra_that_a_user_may_install_is_looked_for() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert extras.EXTRAS.keys() == project["optional-dependencies"].keys() - {"test", "bench"}
    said = [finding.said for finding in extras.missing(lambda name: name != "textual_serve")]
    assert "not: web (skint top --web)" in said[-1]


def test_without_torch_one_may_still_plan() -> None:
    found = list(extras.missing(lambda name: name != "torch"))
    assert [one.level for one in found] == ["warn", "ok"]
    assert "skint[train" in found[0].fix


DRIVER = Driver("550.54", (12, 4), 2)


@pytest.mark.parametrize(
    ("torch", "mask", "level", "said"),
    [
        (Torch("2.8", "12.4", devices=("T4", "T4")), None, "ok", "550.54"),
        (Torch("2.8", "12.4", devices=("T4",)), None, "warn", "sees 1"),
        (Torch("2.8", "12.4", devices=("T4",)), "0", "ok", "550.54"),
        (Torch("2.8+cpu"), None, "bad", "built for the CPU"),
        (Torch("2.8", "13.0"), None, "bad", "built for CUDA 13.0"),
        (Torch("2.8", "12.1"), None, "bad", "sees none"),
        (Torch("2.8", "12.1"), "", "warn", "hides all"),
        (Torch("2.8", None, "6.4"), None, "bad", "AMD"),
        (None, None, "ok", "550.54"),
    ],
)
def test_a_driver_that_torch_cannot_use_is_bad(
    torch: Torch | None, mask: str | None, level: str, said: str
) -> None:
    found = only(compared(DRIVER, torch, mask))
    assert found.level == level and said in found.said
    assert level == "ok" or found.fix


STAND_IN = """
__version__ = "9.9"
class version: cuda, hip = "12.4", None
class cuda:
    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    get_device_name = staticmethod(lambda number: f"card {number}")
class backends: pass
get_num_threads = lambda: 1
"""


def test_torch_is_asked_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "torch.py").write_text(STAND_IN)
    assert ask_torch(60) == Torch("9.9", "12.4", None, ("card 0", "card 1"))
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.12: cannot open')")
    said = ask_torch(60)
    assert isinstance(said, str) and "libcudart.so.12: cannot open" in said


def test_a_torch_that_hangs_is_not_waited_for() -> None:
    said = ask_torch(0.01)
    assert isinstance(said, str) and "not imported within" in said


def test_tokens_are_told_by_name_and_never_shown(machine: Machine) -> None:
    token = "xoxb-1111111111-secret"
    environ = {"SLACK_BOT_TOKEN": token, "SLACK_APP_TOKEN": "xoxb-wrong-kind"}
    found = list(slack.look(Machine(machine.home, environ)))
    assert [one.level for one in found] == ["ok", "bad"]
    assert not any(secret in f"{one}" for one in found for secret in environ.values())
    wanted = Machine(machine.home, {}, settings=Settings(notify={"slack": {}}))
    assert only(slack.look(wanted)).level == "bad"


def test_what_the_schedulers_log_complains_of_is_told_for_a_day(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    assert list(complaints(log, 0)) == []
    log.write_text("10:00 INFO all well\n10:01 ERROR orchestrator: no room\n")
    assert "no room" in only(complaints(log, time.time() - 60)).said
    assert list(complaints(log, time.time() + 60)) == []
