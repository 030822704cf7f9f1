"""Named arrays in one file, the same values in the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.attempt import write_atomic


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """A `.npz` that `numpy.load` reads; it stands there whole or not at all."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            # numpy.savez stamps the time of day into the archive; ZipInfo's default is fixed.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    write_atomic(path, content.getvalue())
