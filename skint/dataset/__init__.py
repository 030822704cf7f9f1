"""The packed set: the folder of pictures that CPU jobs hand to training.

    dataset.json        what it is: shape, dtype, channels, targets, mean and std, how it was made
    samples.csv         one row a picture, in the order of the pixels
    images.npy          (N, H, W, C), C order; or images-00000.npy, ... if too large for one
    images-00000.bin    and so on instead: pictures of their own sizes, or compressed; see index.npy
    index.npy           where each picture stands in the .bin files, and its height and width
    sums.npy            (N, 2, C): sum and sum of squares of each picture's channels
    mask-<target>.npy   (N, H, W): the masks of a mask target
    sizes/<px>/         the same pictures at a smaller size, each a whole packed set

One gather a batch (`Images.take`) feeds training at the speed of a memory copy. Every file is
deterministic: the same pictures and parameters give the same bytes. NumPy is imported when pixels
are touched, so that importing this package costs nothing.
"""

from __future__ import annotations

from skint.dataset.blocks import DamagedBlock, block_hashes
from skint.dataset.error import DatasetError
from skint.dataset.folds import Folds, read_folds
from skint.dataset.meta import BLOCK_BYTES, META, SUMS, VERSION, DatasetMeta, Part
from skint.dataset.packed import PackedSet
from skint.dataset.sample import (
    FIXED_COLUMNS,
    SAMPLES,
    Sample,
    read_samples,
    sample_of,
    write_samples,
)
from skint.dataset.target import KINDS, SEPARATOR, Target
from skint.dataset.writer import PART_BYTES, PackedWriter

__all__ = [
    "BLOCK_BYTES",
    "FIXED_COLUMNS",
    "KINDS",
    "META",
    "PART_BYTES",
    "SAMPLES",
    "SEPARATOR",
    "SUMS",
    "VERSION",
    "DamagedBlock",
    "DatasetError",
    "DatasetMeta",
    "Folds",
    "PackedSet",
    "PackedWriter",
    "Part",
    "Sample",
    "Target",
    "block_hashes",
    "read_folds",
    "read_samples",
    "sample_of",
    "write_samples",
]
