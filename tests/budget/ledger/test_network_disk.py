from __future__ import annotations

from pathlib import Path

import pytest

from budget.ledger.network_disk import LOCAL, Disk, disk_at, disk_of, locking_fault

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /homes rw,relatime shared:9 - nfs4 server:/export/homes rw,vers=4.2,hard,proto=tcp
31 30 0:27 / /homes/scratch\\040disk rw,relatime - ext4 /dev/vdb rw
32 22 0:28 / /old rw - nfs server:/old rw,vers=3,nolock,local_lock=all
33 22 0:29 / /shared rw - tmpfs tmpfs rw
34 33 0:30 / /shared rw - lustre 10.0.0.1@tcp:/lustre rw,flock
35 22 0:31 / /mnt/laptop rw - fuse.sshfs me@host:/ rw,user_id=0
36 22 0:32 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw
37 22 0:33 / /mnt/win rw master:1 propagate_from:2 - cifs //pc/share rw,nobrl
"""


@pytest.mark.parametrize(
    ("folder", "file_system", "network"),
    [
        ("/", "ext4", False),
        ("/homeswork", "ext4", False),
        ("/homes", "nfs4", True),
        ("/homes/ada/.skint", "nfs4", True),
        ("/homes/scratch disk/ada", "ext4", False),
        ("/shared/x", "lustre", True),
        ("/mnt/laptop/x", "fuse.sshfs", True),
        ("/mnt/ntfs/x", "fuseblk", False),
        ("/mnt/win/x", "cifs", True),
    ],
)
def test_the_innermost_mount_says_what_a_folder_is_on(
    folder: str, file_system: str, network: bool
) -> None:
    """Edge 17: a log that processes share does not work on NFS and its like."""
    disk = disk_of(folder, MOUNTS)
    assert (disk.file_system, disk.network) == (file_system, network)


def test_a_disk_whose_locks_stay_on_one_machine_is_faulty() -> None:
    assert "nolock" in str(disk_of("/old", MOUNTS).fault)
    assert "nobrl" in str(disk_of("/mnt/win", MOUNTS).fault)
    assert disk_of("/homes", MOUNTS).fault is None


@pytest.mark.parametrize("mounts", ["", "no mounts at all\n", "1 2 3 4 5 - \n", " - nfs x rw\n"])
def test_what_is_not_known_is_taken_for_local(mounts: str) -> None:
    assert disk_of("/homes", mounts) == LOCAL


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "lustre", "beegfs", "gpfs", "fuse", "fuse.rclone"]
)
def test_file_systems_that_machines_share_are_network_disks(kind: str) -> None:
    assert Disk(kind).network


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "apfs", ""])
def test_file_systems_of_one_machine_are_not(kind: str) -> None:
    assert not Disk(kind).network


def test_this_folder_is_on_a_known_disk_whose_locks_hold(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    assert disk_at(folder / "not" / "made" / "yet").file_system != ""
    assert locking_fault(folder) is None  # it cannot be tried in a folder that is not there
    folder.mkdir()
    assert locking_fault(folder) is None
    assert list(folder.iterdir()) == []
