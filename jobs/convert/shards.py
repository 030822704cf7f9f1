"""WebDataset: tar files in which the files of one sample share their name up to the first dot.

A sample is its picture (`KEY.png`, `.jpg`, ..., `.npy` for bands), its class as a number
(`KEY.cls`) and all that is known of it (`KEY.json`). `targets.json` beside the tars names the
classes. The tars are deterministic: no times, no owners.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.convert.records import Record
from jobs.scan.scanned import TARGETS
from skint.attempt import write_atomic
from skint.dataset import Target
from skint.errors import SkintError

PICTURES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".npy")
)
MOST_BYTES = 1 << 30
"""Of one file in a tar: a compressed tar may claim any size."""


class ShardError(SkintError):
    """A tar cannot be read, or holds what it must not."""


def write_shards(
    records: Iterable[Record], targets: Iterable[Target], folder: Path, shard_bytes: int
) -> int:
    """Write `shard-000000.tar`, ... of about `shard_bytes`; how many there are."""
    targets = list(targets)
    described = [
        {"name": target.name, "kind": target.kind, "classes": list(target.classes)}
        for target in targets
    ]
    label = next((target for target in targets if target.kind == "class"), None)
    written = count = 0
    with ExitStack() as stack:
        shard: _Shard | None = None
        for number, record in enumerate(records):
            files = _files(record, f"{number:08}", label)
            size = sum(len(content) + 1024 for _name, content in files)
            if shard is None or (written and written + size > shard_bytes):
                if shard is not None:
                    shard.finish()
                shard = stack.enter_context(closing(_Shard(folder / f"shard-{count:06}.tar")))
                written, count = 0, count + 1
            for name, content in files:
                shard.add(name, content)
            written += size
        if shard is not None:
            shard.finish()
    write_atomic(folder / TARGETS, (json.dumps(described, indent=1) + "\n").encode())
    return count


class _Shard:
    """A tar that has its name once it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._file = self._partial.open("wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)

    def add(self, name: str, content: bytes) -> None:
        # TarInfo's defaults are fixed: no time, no owner, mode 644.
        member = tarfile.TarInfo(name)
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))

    def finish(self) -> None:
        self._tar.close()
        self._file.close()
        self._partial.rename(self._path)

    def close(self) -> None:
        """Let go of the file, whole or not."""
        with suppress(OSError):  # of a full disk, which has been told
            self._file.close()


def _files(record: Record, key: str, label: Target | None) -> list[tuple[str, bytes]]:
    known: dict[str, Any] = {
        "name": record.name,
        "path": record.path,
        "group": record.group,
        "channels": record.channels,
        "targets": dict(record.cells),
    }
    files = [(f"{key}{record.suffix}", record.content)]
    cell = record.cells.get(label.name, "") if label is not None else ""
    if label is not None and cell:
        files.append((f"{key}.cls", str(label.classes.index(cell)).encode()))
    files.append((f"{key}.json", json.dumps(known, sort_keys=True).encode()))
    return files


def list_shards(source: Path) -> list[Path]:
    """A tar, or those of a folder in the order of their names; ShardError where there is none."""
    if source.is_file():
        return [source]
    found = sorted(path for path in source.glob("*.tar*") if path.is_file())
    if not found:
        raise ShardError("there is no tar", where=str(source), wanted="*.tar, or *.tar.gz")
    return found


def targets_beside(source: Path) -> tuple[Target, ...] | None:
    """What `targets.json` beside the tars says; None where there is none."""
    path = (source if source.is_dir() else source.parent) / TARGETS
    if not path.is_file():
        return None
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        return tuple(Target(one["name"], one["kind"], tuple(one["classes"])) for one in described)
    except (ValueError, KeyError, TypeError) as error:
        raise ShardError("this does not describe targets", where=str(path), got=error) from error


def read_shards(shards: Iterable[Path], targets: tuple[Target, ...] | None) -> Iterator[Record]:
    """The samples in the order of the tars.

    Without `targets` a sample's class is the text of its `.cls`, as a target `label`. Raises
    ShardError where a tar is damaged or holds links, devices, or names that leave the folder.
    """
    label = next((one for one in targets or () if one.kind == "class"), None)
    for shard in shards:
        key = ""
        files: dict[str, bytes] = {}
        for name, content in _members(shard):
            stem, suffix = _split(name)
            if stem != key and files:
                yield from _record(shard, key, files, label, known=targets is not None)
                files = {}
            key = stem
            if suffix in files:
                raise ShardError("a file occurs twice in a sample", where=f"{shard}: {name}")
            files[suffix] = content
        if files:
            yield from _record(shard, key, files, label, known=targets is not None)


def _members(shard: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(shard, "r|*") as archive:
            for member in archive:
                _check(member, shard)
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ShardError("this tar cannot be read to its end", where=str(shard), got=error) from (
            error
        )


def _check(member: tarfile.TarInfo, shard: Path) -> None:
    where = f"{shard}: {member.name}"
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ShardError("a name in this tar leaves its folder", where=where)
    if not (member.isfile() or member.isdir()):
        raise ShardError("this tar holds more than files", where=where, got="a link or a device")
    if member.size > MOST_BYTES:
        raise ShardError(
            "a file in this tar is too large", where=where, got=f"{member.size:,} bytes"
        )


def _split(name: str) -> tuple[str, str]:
    """(`a/0001`, `.seg.png`) of `a/0001.seg.png`."""
    folder, slash, file = name.rpartition("/")
    stem, dot, suffix = file.partition(".")
    return f"{folder}{slash}{stem}", f"{dot}{suffix}".lower()


def _record(
    shard: Path, key: str, files: Mapping[str, bytes], label: Target | None, *, known: bool
) -> Iterator[Record]:
    """The sample, where it has a picture."""
    found = [suffix for suffix in files if suffix in PICTURES]
    where = f"{shard}: {key}"
    if len(found) > 1:
        raise ShardError("a sample has more than one picture", where=where, got=", ".join(found))
    if not found:
        return
    facts = _facts(files.get(".json", b"{}"), where)
    text = files.get(".cls", b"").decode("utf-8", "replace").strip()
    cells = facts.get("targets")
    if not known:
        cells = {"label": text}
    elif not isinstance(cells, dict):
        cells = {} if label is None or not text else {label.name: _named(text, label, where)}
    channels = facts.get("channels")
    yield Record(
        name=str(facts.get("name") or key),
        path=str(facts.get("path") or f"{key}{found[0]}"),
        group=str(facts.get("group") or ""),
        suffix=found[0],
        content=files[found[0]],
        cells={str(name): str(cell) for name, cell in cells.items()},
        channels=channels if isinstance(channels, int) else 0,
    )


def _facts(content: bytes, where: str) -> dict[str, Any]:
    try:
        facts = json.loads(content)
    except ValueError as error:
        raise ShardError("a sample's .json is not JSON", where=where, got=error) from error
    return facts if isinstance(facts, dict) else {}


def _named(text: str, label: Target, where: str) -> str:
    """The class that the text of a `.cls` stands for."""
    if text in label.classes:
        return text
    if text.isdecimal() and int(text) < len(label.classes):
        return label.classes[int(text)]
    raise ShardError(
        "there is no such class", where=where, got=text, wanted=", ".join(label.classes)
    )
