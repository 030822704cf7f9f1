from __future__ import annotations

import io
import json
import shutil
import tarfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

import skint
from jobs.convert.class_folders import write_folders
from jobs.convert.error import ConvertError
from jobs.convert.job import Params, convert
from jobs.convert.records import Record, RecordError
from jobs.convert.room import RoomError, whole_or_nothing
from jobs.convert.shards import ShardError, write_shards
from jobs.scan.job import Params as ScanParams
from jobs.scan.job import scan
from skint.attempt import StopRequest
from skint.dataset import PackedSet
from skint.table import read_rows
from tests.jobs.small_set import small_set


def converted(folder: Path, packed: Path | None = None, **params: Any) -> Path:
    inputs = {} if packed is None else {"packed": packed}
    ctx = skint.Context.for_test(folder, inputs=inputs)
    convert(Params.model_validate(params), ctx)
    return ctx.out


def tar_of(path: Path, *files: tuple[str, bytes], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, options.pop("mode", "w")) as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def png(value: int, size: tuple[int, int] = (4, 3), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, (value,) * 3 if mode == "RGB" else value).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("channels", "dtype"), [(3, "uint8"), (1, "uint8"), (13, "uint16"), (2, "float32")]
)
def test_a_packed_set_comes_back_from_tars_to_the_pixel(
    tmp_path: Path, channels: int, dtype: str
) -> None:
    packed = small_set(tmp_path / "packed", channels=channels, dtype=dtype)
    tars = converted(tmp_path / "a", packed, to="webdataset")
    back = PackedSet.open(converted(tmp_path / "b", to="packed", source=tars))
    before = PackedSet.open(packed)
    assert back.meta.shape == before.meta.shape and back.meta.dtype == dtype
    assert back.meta.targets == before.meta.targets and back.meta.mean == before.meta.mean
    for one, other, left, right in zip(
        before.samples, back.samples, before.images(), back.images(), strict=True
    ):
        assert (one.name, one.path, one.label) == (other.name, other.path, other.label)
        assert np.array_equal(left, right)


def test_tars_are_the_same_bytes_each_time_and_hold_neither_time_nor_owner(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed")
    one, two = (converted(tmp_path / n, packed, to="webdataset") for n in "ab")
    content = (one / "shard-000000.tar").read_bytes()
    assert content == (two / "shard-000000.tar").read_bytes()
    with tarfile.open(one / "shard-000000.tar") as archive:
        members = archive.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members} == {(0, 0, 0, "", 0o644)}
    assert [m.name for m in members[:3]] == ["00000000.png", "00000000.cls", "00000000.json"]


def test_large_sets_are_cut_between_samples(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", size=256)  # noise: 150 kB a picture
    tars = converted(tmp_path, packed, to="webdataset", shard_mb=2)
    shards = sorted(tars.glob("*.tar"))
    assert len(shards) > 2 and all(path.stat().st_size < 2.1e6 for path in shards)
    for shard in shards:
        with tarfile.open(shard) as archive:
            names = archive.getnames()
        assert len(names) % 3 == 0 and names[0].endswith(".png")


def test_folders_can_be_scanned_again(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed")
    folders = converted(tmp_path / "a", packed, to="folders")
    ctx = skint.Context.for_test(tmp_path / "b", base=folders)
    scan(ScanParams(source=Path("pictures")), ctx)
    rows = list(read_rows(ctx.out / "scan.csv", ("path", "label")))
    assert sorted(row["label"] for row in rows) == sorted(
        s.label for s in PackedSet.open(packed).samples
    )
    table = list(read_rows(folders / "table.csv", ("path", "name", "group", "label")))
    for row, picture in zip(table, PackedSet.open(packed).images(), strict=True):
        with Image.open(folders / "pictures" / row["path"]) as image:
            assert np.array_equal(np.asarray(image), picture)


def test_scanned_files_are_handed_on_as_they_are(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name, content in {"hat/a.png": png(1), "hat/b.png": png(2), "shoe/a.png": png(3)}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    scanned = skint.Context.for_test(tmp_path / "scan", base=tmp_path)
    scan(ScanParams(source=source), scanned)
    ctx = skint.Context.for_test(tmp_path / "tar", inputs={"scan": scanned.out})
    convert(Params(to="webdataset", files=True), ctx)
    folders = converted(tmp_path / "back", to="folders", source=ctx.out)
    back = {path.read_bytes() for path in (folders / "pictures").rglob("*.png")}
    assert back == {png(1), png(2), png(3)}
    (source / "hat/a.png").write_bytes(png(9))
    with pytest.raises(RecordError, match="not the file that was scanned"):
        convert(
            Params(to="folders"),
            skint.Context.for_test(tmp_path / "c", inputs={"scan": scanned.out}),
        )


def test_tars_of_others_are_read(tmp_path: Path) -> None:
    files = [
        ("train/7.PNG", png(1)),
        ("train/7.cls", b"10\n"),
        ("train/8.jpg.txt", b"no picture"),
        ("train/9.png", png(2)),
        ("train/9.cls", b"9"),
        ("train/10.png", png(3)),
    ]
    tar_of(tmp_path / "tars" / "b.tar.gz", *files, mode="w:gz")
    tar_of(tmp_path / "tars" / "a.tar", ("0.png", png(0)), ("0.cls", b"9"))
    data = PackedSet.open(converted(tmp_path, to="packed", source=tmp_path / "tars"))
    assert data.classes == ("9", "10")  # as numbers, not as text
    assert [sample.label for sample in data.samples] == ["9", "10", "9", ""]
    assert [int(picture[0, 0, 0]) for picture in data.images()] == [0, 1, 2, 3]
    assert data.meta.layout == "dense" and data.meta.shape == (4, 3, 4, 3)


def test_pictures_of_different_sizes_make_a_ragged_set(tmp_path: Path) -> None:
    files = [("a.png", png(1, (4, 3))), ("b.png", png(2, (2, 5)))]
    data = PackedSet.open(
        converted(tmp_path, to="packed", source=tar_of(tmp_path / "t.tar", *files))
    )
    assert data.meta.layout == "ragged" and data.damaged_blocks() == ()
    assert [picture.shape for picture in data.images()] == [(3, 4, 3), (5, 2, 3)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../../evil.png", "leaves its folder"),
        ("/etc/evil.png", "leaves its folder"),
        ("a/../../evil.png", "leaves its folder"),
        ("..\\evil.png", "leaves its folder"),
    ],
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str, words: str) -> None:
    source = tar_of(tmp_path / "t.tar", (name, png(1)))
    with pytest.raises(ShardError, match=words):
        converted(tmp_path / "job", to="folders", source=source)
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        member = tarfile.TarInfo("0.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ShardError, match="more than files"):
        converted(tmp_path / "job", to="packed", source=tmp_path / "t.tar")


def test_names_in_the_data_cannot_leave_the_folder(tmp_path: Path) -> None:
    names = ["../../evil", "/etc/passwd", "..", "", "CON", ".hidden", "a\n\x00b", "ü" * 200]
    described = [{"name": "label", "kind": "class", "classes": names}]
    (tmp_path / "targets.json").write_text(json.dumps(described))
    files = []
    for number, name in enumerate(names):
        known = {"name": name, "path": name, "targets": {"label": name}}
        files += [(f"{number}.png", png(number)), (f"{number}.json", json.dumps(known).encode())]
    out = converted(tmp_path / "job", to="folders", source=tar_of(tmp_path / "t.tar", *files))
    written = list(tmp_path.rglob("*.png"))
    assert len(written) == len(names)
    for path in written:
        inside = path.relative_to(out / "pictures")
        assert len(inside.parts) == 2
        assert not any(part.startswith(".") or len(part.encode()) > 200 for part in inside.parts)


def test_names_that_differ_in_capitals_only_stay_apart(tmp_path: Path) -> None:
    files = []
    for number, name in enumerate(("A", "a", "a!", "a?")):
        known = {"name": name}
        files += [(f"{number}.png", png(number)), (f"{number}.json", json.dumps(known).encode())]
    out = converted(tmp_path / "job", to="folders", source=tar_of(tmp_path / "t.tar", *files))
    assert sorted(path.name for path in (out / "pictures").iterdir()) == [
        "A.png",
        "a-2.png",
        "a_-2.png",
        "a_.png",
    ]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("0.png", b"no picture")], "cannot be used"),
        ([("0.npy", b"\x93NUMPY no array")], "cannot be used"),
        ([("0.png", png(1)), ("0.jpg", png(1))], "more than one picture"),
        ([("0.png", png(1)), ("0.png", png(1))], "occurs twice"),
        ([("0.png", png(1)), ("0.json", b"{")], "not JSON"),
        ([("0.txt", b"words")], "no pictures"),
        ([("0.png", png(1)), ("1.npy", b"")], "cannot be used"),
    ],
)
def test_what_cannot_be_packed_says_why(
    tmp_path: Path, files: list[tuple[str, bytes]], words: str
) -> None:
    source = tar_of(tmp_path / "t.tar", *files)
    with pytest.raises((ShardError, RecordError), match=words):
        converted(tmp_path / "job", to="packed", source=source)
    assert not (tmp_path / "job" / "out" / "dataset.json").exists()


def test_a_tar_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    source = tar_of(tmp_path / "t.tar", ("0.png", png(1) + bytes(5000)))
    source.write_bytes(source.read_bytes()[:3000])
    with pytest.raises(ShardError, match="cannot be read to its end"):
        converted(tmp_path / "job", to="folders", source=source)


def test_pictures_of_two_kinds_are_refused(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.zeros((4, 3, 3), dtype=np.uint16))
    source = tar_of(tmp_path / "t.tar", ("0.png", png(1)), ("1.npy", array.getvalue()))
    with pytest.raises(RecordError, match="cannot stand in one packed set"):
        converted(tmp_path / "job", to="packed", source=source)


@pytest.mark.parametrize("to", ["folders", "webdataset"])
def test_a_request_to_stop_is_obeyed_at_the_next_picture(tmp_path: Path, to: str) -> None:
    packed = small_set(tmp_path / "packed")
    ctx = skint.Context.for_test(tmp_path / "job", inputs={"packed": packed})
    ctx.attempt.request_stop(StopRequest("step", "end", "cancelled"))
    with pytest.raises(skint.StopRequested):
        convert(Params.model_validate({"to": to}), ctx)
    assert list(ctx.out.iterdir()) == []


def test_a_full_disk_is_one_clear_error_and_gets_its_room_back(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed")
    ctx = skint.Context.for_test(tmp_path / "job", inputs={"packed": packed})
    (ctx.out / "shard-000000.tar.partial").symlink_to("/dev/full")
    with pytest.raises(RoomError, match="the disk is full") as refused:
        convert(Params(to="webdataset"), ctx)
    assert refused.value.where == str(ctx.out) and "make room" in (refused.value.next or "")
    assert list(ctx.out.iterdir()) == []
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("to", ["folders", "webdataset"])
def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, to: str) -> None:
    """Nor had any of it its final name."""
    seen: list[Path] = []
    out = tmp_path / "out"
    out.mkdir()

    def records() -> Iterator[Record]:
        yield Record("a", "a.png", "", ".png", png(1), {})
        seen.extend(out.iterdir())
        raise RecordError("a picture cannot be read")

    with pytest.raises(RecordError), whole_or_nothing(out):
        if to == "folders":
            write_folders(records(), [], out)
        else:
            write_shards(records(), [], out, 10**6)
    assert [path.suffix for path in seen] == [".partial"]
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("to", ["folders", "webdataset"])
@pytest.mark.parametrize("files", [False, True])
def test_a_disk_without_room_is_found_before_the_work(
    tmp_path: Path, to: str, files: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "photos"
    for number in range(4):
        path = source / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    made = skint.Context.for_test(tmp_path / "scan")
    scan(ScanParams(source=source), made)
    given = {"scan": made.out} if files else {"packed": small_set(tmp_path / "packed")}
    ctx = skint.Context.for_test(tmp_path / "job", inputs=given)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Namespace(free=100))
    with pytest.raises(RoomError, match="not enough room") as refused:
        convert(Params.model_validate({"to": to, "files": files}), ctx)
    assert refused.value.got == "100 bytes free"
    assert list(ctx.out.iterdir()) == []


def test_nothing_to_convert_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="nothing to convert"):
        converted(tmp_path, to="folders")
    with pytest.raises(ConvertError, match="no such file"):
        converted(tmp_path / "b", to="folders", source=tmp_path / "away.tar")
    with pytest.raises(ShardError, match="no tar"):
        converted(tmp_path / "c", to="folders", source=tmp_path)


@pytest.mark.parametrize(
    "params", [{"to": "packed"}, {"to": "folders", "source": "a.tar", "files": True}, {"to": "zip"}]
)
def test_parameters_that_contradict_each_other_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)
