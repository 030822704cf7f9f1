"""110 odd and broken files of decoders' own tests, through a whole scan."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
import tifffile
from PIL import Image

import skint
from jobs.scan.job import Params, scan

FOLDER = Path(__file__).resolve().parents[2] / "data" / "badinputs"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


MANIFEST = rows_of(FOLDER / "manifest.csv")


def scanned(folder: Path, **params: object) -> Path:
    ctx = skint.Context.for_test(folder, cpus=2)
    scan(
        Params.model_validate({"source": FOLDER / "files", "labels": "none", **params}),
        ctx,
    )
    return ctx.out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scanned(tmp_path_factory.mktemp("badinputs"))


@pytest.fixture(scope="module")
def usable(out: Path) -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in rows_of(out / "scan.csv")}


@pytest.fixture(scope="module")
def reasons(out: Path) -> dict[str, str]:
    return {row["path"]: row["reason"] for row in rows_of(out / "quarantine.csv")}


def test_all_110_files_are_here_with_the_bytes_of_the_manifest() -> None:
    assert len(MANIFEST) == 110
    for row in MANIFEST:
        content = (FOLDER / "files" / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]


@pytest.mark.parametrize("row", MANIFEST, ids=[row["file"] for row in MANIFEST])
def test_a_file_is_used_or_quarantined_as_the_manifest_expects(
    row: dict[str, str], usable: dict[str, dict[str, str]], reasons: dict[str, str]
) -> None:
    name = row["file"]
    assert (name in usable) != (name in reasons)
    if row["expect"] == "reject":
        assert len(reasons[name]) > 10
        assert "0x" not in reasons[name]
    elif row["expect"] != "either":
        assert usable[name]["sha256"] == row["sha256"], reasons.get(name)


def test_width_and_height_are_those_of_the_upright_picture(
    usable: dict[str, dict[str, str]],
) -> None:
    turned = [row for row in MANIFEST if row["expect"] == "load_with_rotation"]
    assert len(turned) == 16
    for row in turned:
        with Image.open(FOLDER / "files" / row["file"]) as image:
            image.load()  # a TIFF turns itself upright, others do not
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:
                width, height = height, width
        found = usable[row["file"]]
        assert (found["width"], found["height"]) == (str(width), str(height)), row["file"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("z_zero_byte.jpg", "0 bytes"),
        ("p_truncated_jpeg.jpg", "cut short"),
        ("p_truncated_image.png", "cut short"),
        ("p_decompression_bomb.gif", "pixels in 44 bytes"),
        ("p_bmp_b_reallybig.bmp", "pixels"),
        ("p_png_decompression_dos.png", "too large"),
        ("e_EuroSAT_Forest_Forest_1.jpg", "git lfs pull"),
        ("e_EuroSATallBands_Forest_Forest_1.tif", "git lfs pull"),
        ("p_libtiff_segfault.tif", "65535"),
    ],
)
def test_the_reason_says_what_is_wrong(name: str, words: str, reasons: dict[str, str]) -> None:
    assert words in reasons[name]


def test_the_same_picture_in_other_formats_is_a_near_duplicate(out: Path) -> None:
    pairs = {(row["path"], row["first"]) for row in rows_of(out / "duplicates.csv")}
    alike = {frozenset(pair) for pair in pairs}
    assert frozenset(("p_hopper.Lab.tif", "p_hopper_bigtiff.tif")) in alike
    assert frozenset(("x_Landscape_1.jpg", "x_Landscape_6.jpg")) in alike
    assert not any("p_bw_gradient.png" in pair for pair in alike)
    assert not any("Landscape" in one and "Portrait" in first for one, first in pairs)


def test_what_can_be_decoded_in_part_is_kept_when_asked_for(
    tmp_path: Path, reasons: dict[str, str]
) -> None:
    kept = scanned(tmp_path, on_bad="keep")
    partly = {row["path"] for row in rows_of(kept / "partly.csv")}
    assert partly == {
        "p_bmp_b_shortfile.bmp",
        "p_broken_data_stream.png",
        "p_truncated_end_chunk.png",
        "p_truncated_image.png",
        "p_truncated_jpeg.jpg",
    }
    assert partly <= {row["path"] for row in rows_of(kept / "scan.csv")}
    left = {row["path"]: row["reason"] for row in rows_of(kept / "quarantine.csv")}
    assert left == {name: said for name, said in reasons.items() if name not in partly}


def test_each_page_is_a_picture_when_asked_for(tmp_path: Path) -> None:
    rows = rows_of(scanned(tmp_path, pages="samples") / "scan.csv")
    pages = {
        name: [(row["name"], row["page"], row["width"]) for row in rows if row["path"] == name]
        for name in ("p_multipage.tiff", "p_multipage_multiple_frame_loop.tiff", "p_hopper_lzw.tif")
    }
    assert pages == {
        "p_multipage.tiff": [
            ("p_multipage#0", "0", "10"),
            ("p_multipage#1", "1", "10"),
            ("p_multipage#2", "2", "20"),
        ],
        "p_multipage_multiple_frame_loop.tiff": [
            ("p_multipage_multiple_frame_loop#0", "0", "10"),
            ("p_multipage_multiple_frame_loop#1", "1", "10"),
        ],
        "p_hopper_lzw.tif": [("p_hopper_lzw", "0", "128")],
    }


def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path: Path, out: Path) -> None:
    ctx = skint.Context.for_test(tmp_path, cpus=1)
    scan(Params(source=FOLDER / "files", labels="none"), ctx)
    for name in ("scan.csv", "quarantine.csv", "duplicates.csv", "summary.json", "targets.json"):
        assert (ctx.out / name).read_bytes() == (out / name).read_bytes()


def test_pages_become_bands_when_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number, label in enumerate(("dry", "wet")):
        (source / label).mkdir(parents=True)
        with Image.open(FOLDER / "files" / "p_16bit.MM.cropped.tif") as image:
            plane = image.copy()
        with tifffile.TiffWriter(source / label / "stack.tif") as file:
            for band in range(5):
                pixels = tifffile.imread(FOLDER / "files" / "p_16bit.MM.cropped.tif")
                assert pixels.shape == plane.size[::-1]
                file.write(pixels + band + number, photometric="minisblack", contiguous=False)
    ctx = skint.Context.for_test(tmp_path / "scan")
    scan(Params(source=source, pages="bands"), ctx)
    rows = rows_of(ctx.out / "scan.csv")
    assert [(row["path"], row["page"], row["channels"], row["dtype"]) for row in rows] == [
        ("dry/stack.tif", "-1", "5", "uint16"),
        ("wet/stack.tif", "-1", "5", "uint16"),
    ]
    assert json.loads((ctx.out / "targets.json").read_text())[0]["classes"] == ["dry", "wet"]
