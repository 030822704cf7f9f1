"""What kind of disk a folder is on, and whether locks on it can be trusted.

SQLite's log mode shares memory between processes, which no network file system does; and a lock
that other machines do not see would let two of them reserve the same hours.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = (
    " 9p acfs afs beegfs ceph cifs coda drvfs fhgfs gfs gfs2 glusterfs gpfs lustre mmfs ncpfs nfs"
    " nfs4 ocfs2 orangefs panfs prl_fs pvfs2 smb2 smb3 smbfs vboxsf virtiofs vmhgfs "
)
"""File systems that another machine may write to at the same time (the host of a guest is one)."""

_LOCAL_FUSE = ("fuseblk", "fuse.fuse-overlayfs", "fuse.ntfs-3g", "fuse.bindfs", "fuse.lxcfs")


@dataclass(frozen=True, slots=True)
class Disk:
    """`file_system` as the kernel calls it, "" if that is not known: it is taken for a local one.

    `fault` is why locks on it cannot be trusted, None if nothing is known against them.
    """

    file_system: str = ""
    fault: str | None = None

    @property
    def network(self) -> bool:
        """True where another machine may have the same files."""
        if self.file_system == "fuse" or self.file_system.startswith("fuse."):
            return self.file_system not in _LOCAL_FUSE
        return f" {self.file_system} " in _NETWORK


LOCAL = Disk()


def disk_of(folder: str, mounts: str) -> Disk:
    """The disk that the absolute path `folder` is on, by the text of `/proc/self/mountinfo`."""
    best, found = "", LOCAL
    for line in mounts.splitlines():
        left, dash, right = line.partition(" - ")
        fields, source = left.split(), right.split(" ")
        if not dash or len(fields) < 5 or not source[0]:
            continue
        point = _unescaped(fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):  # of two on one point the later one hides the other
            best, found = point, Disk(source[0], _fault(source[-1]))
    return found


def _unescaped(point: str) -> str:
    """A mount point as it is: the kernel writes space, tab, newline and backslash in octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point


def _fault(options: str) -> str | None:
    for option in options.split(","):
        if option in ("nolock", "local_lock=all", "local_lock=posix", "nobrl", "localflock"):
            return f"it is mounted with {option}: other machines do not see the locks"
    return None


def disk_at(folder: Path) -> Disk:
    """The disk that `folder` is or would be made on, with a probe of its locks if it is remote."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # no Linux, or no /proc: nothing is known
        return LOCAL
    disk = disk_of(str(folder.resolve()), mounts)
    if disk.network and disk.fault is None:
        return Disk(disk.file_system, locking_fault(folder))
    return disk


def locking_fault(folder: Path) -> str | None:
    """Why a lock that is taken on a file in `folder` does not keep another one out, or None.

    Two open files take the lock of one range: locks of whole processes, which SQLite takes, go
    the same way in the kernel, but a process cannot see its own. None also where it cannot be
    tried: in a folder that cannot be written.
    """
    import tempfile  # slow to import, and needed on network disks only

    try:
        descriptor, name = tempfile.mkstemp(prefix=".lock-probe-", dir=folder)
    except OSError:
        return None
    try:
        other = os.open(name, os.O_RDWR)
        try:
            return _rivals_fault(descriptor, other)
        finally:
            os.close(other)
    finally:
        os.close(descriptor)
        Path(name).unlink()


def _rivals_fault(first: int, second: int) -> str | None:
    lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
    try:
        fcntl.fcntl(first, fcntl.F_OFD_SETLK, lock)
    except OSError as error:
        return f"a lock was refused: {os.strerror(error.errno or 0)}"
    try:
        fcntl.fcntl(second, fcntl.F_OFD_SETLK, lock)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return None
        return f"a lock was refused: {os.strerror(error.errno or 0)}"
    return "a second lock was given while the first one was held"
