"""What the machine, or the container, gives: cores, memory, open files, shared memory."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from orchestrator.checkup.finding import Finding, ok, warn
from orchestrator.checkup.machine import Machine
from orchestrator.settings import read_flat, settings_path, write_flat

LEAST_FILES = 1_024
LEAST_SHARED_MIB = 512
"""Loaders in processes of their own pass batches through it."""
LEAST_MEMORY_MIB = 4_096
UNLIMITED_MIB = 1 << 40


def look(machine: Machine) -> Iterator[Finding]:
    yield _cores(machine)
    yield _memory(machine)
    yield _files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield from _shared(machine.root / "dev" / "shm")


def _cores(machine: Machine) -> Finding:
    allowed = cores_allowed(machine.root)
    wanted = machine.settings.cpus or machine.cores
    if allowed is None or wanted <= max(1, round(allowed)):
        said = f"{wanted} cores for CPU jobs"
        return ok("cores", f"{said} of {machine.cores}" if wanted != machine.cores else said)
    count = max(1, round(allowed))

    def repair() -> str:
        path = settings_path(machine.home.path, machine.environ)
        write_flat(path, {**read_flat(path), "cpus": count})
        return f"cpus = {count} in {path}, from the next start of the scheduler"

    return warn(
        "cores",
        f"this container may use {allowed:g} cores of {machine.cores}: CPU jobs would share"
        f" {wanted}",
        f"skint config set cpus {count}",
        repair,
    )


def _memory(machine: Machine) -> Finding:
    total_mib = _total_mib(machine.root)
    limit_mib = memory_allowed_mib(machine.root)
    mib = min(total_mib or UNLIMITED_MIB, limit_mib or UNLIMITED_MIB)
    if mib == UNLIMITED_MIB:
        return ok("memory", "how much there is is not known")
    words = f"{mib / 1024:.1f} GiB" + (" (of the container)" if mib != total_mib else "")
    if mib < LEAST_MEMORY_MIB:
        return warn("memory", f"{words}: training may not fit", "smaller `size` or `batch_size`")
    return ok("memory", words)


def _files(soft: int) -> Finding:
    if 0 <= soft < LEAST_FILES:
        return warn("open files", f"at most {soft:,} at once", f"ulimit -n {4 * LEAST_FILES}")
    return ok("open files", "as many as one likes" if soft < 0 else f"at most {soft:,} at once")


def _shared(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    facts = os.statvfs(folder)
    mib = facts.f_frsize * facts.f_blocks >> 20
    if mib < LEAST_SHARED_MIB:
        yield warn(
            "shared memory",
            f"{folder} has {mib:,} MiB: loaders with `workers` would run out of it",
            "docker run --shm-size=2g …, or keep `workers: 0`",
        )
    else:
        yield ok("shared memory", f"{mib:,} MiB")


def cores_allowed(root: Path) -> float | None:
    """By control groups of version 2 or 1; None where there is no limit."""
    found = []
    for folder in _groups(root, "cpu"):
        text = _read(folder / "cpu.max").split()
        if len(text) == 2 and text[0].isdecimal():
            found.append(int(text[0]) / int(text[1]))
        quota, period = (_read(folder / f"cpu.cfs_{n}_us").strip() for n in ("quota", "period"))
        if quota.isdecimal() and period.isdecimal():
            found.append(int(quota) / int(period))
    return min(found, default=None)


def memory_allowed_mib(root: Path) -> int | None:
    found = []
    for folder in _groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name).strip()
            if text.isdecimal() and int(text) >> 20 < UNLIMITED_MIB:
                found.append(int(text) >> 20)
    return min(found, default=None)


def _groups(root: Path, kind: str) -> list[Path]:
    """The folders of the groups that this process is in, and of those above."""
    found: list[Path] = []
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        _, kinds, path = [*line.split(":", 2), "", ""][:3]
        if kinds and kind not in kinds.split(","):
            continue
        base = root / "sys" / "fs" / "cgroup" / (kinds and kind)
        place = base / path.lstrip("/")
        found += [place, *(p for p in place.parents if p == base or base in p.parents)]
    return found


def _total_mib(root: Path) -> int | None:
    for line in _read(root / "proc" / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) >> 10
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
