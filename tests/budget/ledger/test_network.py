"""Edge 17: the ledger on a disk that several machines write to."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger, LedgerError
from budget.ledger.lease import OLD_S
from budget.ledger.network_disk import Disk

NOW_MS = 1_790_000_000_000
NFS = Disk("nfs4")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "ledger.db"


def fill(ledger: Ledger, ids: str = "ab") -> None:
    ledger.add_account(preset("simulated"), NOW_MS)
    for id in ids:
        ledger.reserve(
            id=id, account="simulated", owner="run", devices=1, amount_ms=HOUR_MS, now_ms=NOW_MS
        )
    ledger.settle(ids[0], NOW_MS, NOW_MS + 7, shares={}, now_ms=NOW_MS + 7)


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_it_has_no_log_that_processes_share_and_leaves_nothing_beside_it(path: Path) -> None:
    """Edge 17: WAL on NFS."""
    with Ledger(path, disk=NFS) as ledger:
        fill(ledger)
        assert names(path) == ["ledger.db"]
        assert ledger.check() == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with Ledger(path, disk=NFS, read_only=True) as reader:
        assert reader.balance("simulated", NOW_MS).settled_ms == 7
    assert names(path) == ["ledger.db"]


def test_a_ledger_that_was_moved_there_from_a_local_disk_is_made_fit_for_it(path: Path) -> None:
    with Ledger(path) as local:
        fill(local)
    with Ledger(path, disk=NFS, read_only=True) as reader:
        assert reader.balance("simulated", NOW_MS).settled_ms == 7
    assert names(path) == ["ledger.db"]
    with Ledger(path, disk=NFS) as moved:
        assert moved.balance("simulated", NOW_MS).settled_ms == 7
        assert names(path) == ["ledger.db"]
        moved.release("b", NOW_MS, "never began")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with Ledger(path) as back:
        assert back.reservations() == ()


def test_a_log_that_was_left_beside_a_moved_ledger_is_not_lost(path: Path, tmp_path: Path) -> None:
    local = tmp_path / "local.db"
    with Ledger(local) as ledger:
        fill(ledger)
        for end in ("", "-wal"):  # as a crash leaves it: the log holds it all
            shutil.copy(f"{local}{end}", f"{path}{end}")
    with Ledger(path, disk=NFS) as moved:
        assert moved.balance("simulated", NOW_MS).settled_ms == 7
        assert moved.check() == ()


@pytest.mark.parametrize("there", [False, True])
def test_where_locks_do_not_hold_no_ledger_is_written(path: Path, there: bool) -> None:
    """Edge 17: a network disk."""
    if there:
        with Ledger(path) as local:
            fill(local)
    before = path.read_bytes() if there else None
    with pytest.raises(LedgerError, match="could be overdrawn: mounted with nolock") as caught:
        Ledger(path, disk=Disk("nfs", "mounted with nolock"))
    assert caught.value.next is not None
    assert (path.read_bytes() if there else None) == before
    assert names(path) == (["ledger.db"] if there else [])
    if there:
        with Ledger(path, disk=Disk("nfs", "mounted with nolock"), read_only=True) as reader:
            assert reader.balance("simulated", NOW_MS).settled_ms == 7


RIVAL = """
import sys
from pathlib import Path
from budget.ledger import Ledger, OverBudget
from budget.ledger.network_disk import Disk
from budget.accounts.presets import preset

print("ready", flush=True)
sys.stdin.readline()
won = 0
with Ledger(Path(sys.argv[1]), disk=Disk("nfs4")) as ledger:
    ledger.add_account(preset("simulated"), int(sys.argv[3]))
    for number in range(6):
        try:
            ledger.reserve(id=f"{sys.argv[2]}-{number}", account="simulated", owner="run",
                           devices=1, amount_ms=4 * 3_600_000, now_ms=int(sys.argv[3]))
            won += 1
        except OverBudget:
            pass
print(won)
"""


def spawn(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def test_of_rival_processes_there_exactly_as_many_win_as_fit(path: Path) -> None:
    """Edge 21, on a network disk."""
    rivals = [spawn(RIVAL, path, who, NOW_MS) for who in range(3)]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    answers = [rival.communicate() for rival in rivals]
    assert [err for _, err in answers] == [""] * 3
    with Ledger(path, disk=NFS) as ledger:
        assert sum(int(out) for out, _ in answers) == len(ledger.reservations()) == 7
    assert names(path) == ["ledger.db"]


HOLDER = """
import sys
from pathlib import Path
from budget.ledger import Ledger
from budget.ledger.network_disk import Disk

ledger = Ledger(Path(sys.argv[1]), disk=Disk("nfs4"))
with ledger._file.transaction() as connection:
    connection.execute("UPDATE reservation SET start_ms = 5 WHERE id = 'b'")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_after_a_kill_in_a_write_another_process_goes_on_at_once(path: Path) -> None:
    """Edge 15: half written, on a network disk."""
    with Ledger(path, disk=NFS) as ledger:
        fill(ledger)
    holder = spawn(HOLDER, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert "ledger.db.lease" in names(path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with Ledger(path, disk=NFS) as ledger:
        ledger.release("b", NOW_MS, "never began")
        assert ledger.check() == ()
    assert names(path) == ["ledger.db"]


def test_what_another_machine_keeps_is_refused_with_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("budget.ledger.file.BUSY_TIMEOUT_S", 0.05)
    lease = path.with_name("ledger.db.lease")
    with Ledger(path, disk=NFS) as ledger:
        fill(ledger)
        lease.write_text('{"host": "node-7", "boot": "b", "pid": 12, "born": "3", "token": "t"}')
        with pytest.raises(LedgerError, match="kept by process 12 on node-7") as caught:
            ledger.release("b", NOW_MS, "never began")
        assert caught.value.next is not None
        assert [row.id for row in ledger.reservations()] == ["b"]
        os.utime(lease, (0, lease.stat().st_mtime - OLD_S - 1))
        ledger.release("b", NOW_MS, "never began")
        assert ledger.reservations() == ()


def test_who_lost_the_lease_in_the_middle_of_a_write_writes_nothing(path: Path) -> None:
    lease = path.with_name("ledger.db.lease")
    with Ledger(path, disk=NFS) as ledger:
        fill(ledger)
        with pytest.raises(LedgerError, match="nothing was written"):
            with ledger._file.transaction() as connection:
                connection.execute("UPDATE reservation SET start_ms = 5 WHERE id = 'b'")
                lease.write_text(
                    '{"host": "node-7", "boot": "b", "pid": 12, "born": "3", "token": "t"}'
                )
        lease.unlink()
        assert ledger.reservations()[0].start_ms is None


@pytest.mark.parametrize("read_only", [False, True])
def test_what_a_dead_writer_has_half_done_is_undone_by_whoever_opens_it(
    path: Path, tmp_path: Path, read_only: bool
) -> None:
    """Edges 15 and 17: half of a transaction is in the file, and its journal beside it."""
    source = tmp_path / "ledger.db"
    with Ledger(source, disk=NFS) as ledger:
        fill(ledger)
        with pytest.raises(LedgerError, match="enough"):
            with ledger._file.transaction() as connection:
                connection.execute("PRAGMA cache_size = 1")  # pages are written before the commit
                for number in range(400):
                    connection.execute(
                        "INSERT INTO line SELECT 'x' || ?, 'adjustment', account, owner, start_ms,"
                        " end_ms, 1, '', 0, 0, 5, 0, 'half', NULL, 0 FROM line WHERE id = 'a'",
                        (number,),
                    )
                for end in ("", "-journal"):
                    shutil.copy(f"{source}{end}", f"{path}{end}")
                raise LedgerError("enough")
    assert path.stat().st_size > source.stat().st_size
    with Ledger(path, disk=NFS, read_only=read_only) as opened:
        assert opened.check() == ()
        assert [line.id for line in opened.charges()] == ["a"]
