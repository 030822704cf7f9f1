"""`dataset.json`: what a packed set is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from skint.dataset.error import DatasetError
from skint.dataset.target import KINDS, Target

VERSION = 2
META, SUMS, INDEX = "dataset.json", "sums.npy", "index.npy"
BLOCK_BYTES = 4 * 2**20
"""Files of pixels are hashed in blocks of this many bytes."""
LAYOUTS = ("dense", "ragged")
CODECS = ("raw", "jpeg", "webp")

Layout = Literal["dense", "ragged"]
Codec = Literal["raw", "jpeg", "webp"]


@dataclass(frozen=True)
class Part:
    """One file of pixels."""

    file: str
    """Its name in the folder of the set."""
    rows: int
    """Pictures in it; they follow on those of the part before."""
    sha256: tuple[str, ...]
    """Of each block."""


@dataclass(frozen=True)
class DatasetMeta:
    """`dataset.json`."""

    dtype: str
    shape: tuple[int, int, int, int]
    """(N, H, W, C); H = W = 0 where the pictures have different sizes."""
    channels: tuple[str, ...]
    targets: tuple[Target, ...]
    mean: tuple[float, ...]
    """Per channel over all pixels, in stored units; NaN (in the file: null) where some are not
    finite."""
    std: tuple[float, ...]
    made_by: Mapping[str, Any]
    parts: tuple[Part, ...]
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """SHA-256 of each block of the other binary files (`sums.npy`, `index.npy`, masks), by name."""
    layout: Layout = "dense"
    """`dense`: all pictures have one size; `ragged`: each may have its own."""
    codec: Codec = "raw"
    """How a picture is stored; what is not `raw` is decoded when it is taken."""
    sizes: tuple[int, ...] = ()
    """The ladder, ascending; the last is that of this folder. Empty where there is none."""
    block_bytes: int = BLOCK_BYTES

    @property
    def in_blobs(self) -> bool:
        """Whether the pixels stand in `.bin` files with an `index.npy`, and not in arrays."""
        return self.layout == "ragged" or self.codec != "raw"

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "layout": self.layout,
            "codec": self.codec,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "channels": list(self.channels),
            "targets": [asdict(target) for target in self.targets],
            "mean": _finite_or_none(self.mean),
            "std": _finite_or_none(self.std),
            "sizes": list(self.sizes),
            "made_by": dict(self.made_by),
            "parts": [asdict(part) for part in self.parts],
            "files": {name: list(hashes) for name, hashes in sorted(self.files.items())},
            "blocks": {"bytes": self.block_bytes},
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> DatasetMeta:
        """Raises DatasetError where it describes another version or layout, or no packed set."""
        _check_version(data, where)
        try:
            n, height, width, channels = map(int, data["shape"])
            meta = cls(
                dtype=str(data["dtype"]),
                shape=(n, height, width, channels),
                channels=tuple(map(str, data["channels"])),
                targets=tuple(
                    Target(t["name"], t["kind"], tuple(t["classes"])) for t in data["targets"]
                ),
                mean=tuple(nan if m is None else float(m) for m in data["mean"]),
                std=tuple(nan if s is None else float(s) for s in data["std"]),
                made_by=dict(data["made_by"]),
                parts=tuple(
                    Part(str(p["file"]), int(p["rows"]), tuple(p["sha256"])) for p in data["parts"]
                ),
                files={str(name): tuple(hashes) for name, hashes in data["files"].items()},
                layout=data["layout"],
                codec=data["codec"],
                sizes=tuple(map(int, data["sizes"])),
                block_bytes=int(data["blocks"]["bytes"]),
            )
            meta._check()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                "dataset.json does not describe a packed set", where=where, got=repr(error)
            ) from error
        return meta

    def _check(self) -> None:
        """Raise ValueError where it contradicts itself."""
        if min(self.shape) < 0 or self.block_bytes < 1:
            raise ValueError(f"shape {self.shape}, blocks of {self.block_bytes} bytes")
        for what in (self.channels, self.mean, self.std):
            if len(what) != self.shape[3]:
                raise ValueError(f"{len(what)} names, means or deviations of channels")
        if sum(part.rows for part in self.parts) != self.shape[0]:
            raise ValueError(f"the parts do not add up to {self.shape[0]} pictures")
        for name in (*(part.file for part in self.parts), *self.files):
            # A set from elsewhere must not make us open files outside its folder.
            if PurePosixPath(name).name != name:
                raise ValueError(f"{name!r} is not the name of a file in the folder")
        unknown = [target.kind for target in self.targets if target.kind not in KINDS]
        if unknown:
            raise ValueError(f"a target of the unknown kind {unknown[0]}")


def _finite_or_none(values: tuple[float, ...]) -> list[float | None]:
    """JSON has no NaN."""
    return [value if isfinite(value) else None for value in values]


def read_meta(folder: Path) -> DatasetMeta:
    """Raises DatasetError where the folder holds no packed set that this skint reads."""
    path = folder / META
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetError(
            "there is no packed set",
            where=str(folder),
            wanted=f"a folder with {META}, made by `resize`",
        ) from error
    except ValueError as error:
        raise DatasetError("dataset.json is not JSON", where=str(path), got=error) from error
    return DatasetMeta.from_json(data, str(path))


def _check_version(data: Any, where: str) -> None:
    if not isinstance(data, Mapping):
        raise DatasetError("dataset.json does not describe a packed set", where=where)
    version = data.get("version")
    layout, codec = data.get("layout"), data.get("codec", "raw")
    if version == VERSION and layout in LAYOUTS and codec in CODECS:
        return
    older = isinstance(version, int) and version < VERSION
    raise DatasetError(
        "this packed set has a form that this skint does not read",
        where=where,
        got=f"version {version}, layout {layout}, codec {codec}",
        wanted=f"version {VERSION}, layout {' or '.join(LAYOUTS)}, codec {', '.join(CODECS)}",
        next="make it again: run the plan that made it" if older else None,
    )
