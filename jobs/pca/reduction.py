"""`pca.json`: all that is needed to apply the same components to other pictures, or to undo it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.pca.components import Components
from jobs.pca.scores import Projection, Scaling
from jobs.pca.valid import Validity
from skint.errors import SkintError


class ReductionError(SkintError):
    """The components of another job cannot be read, or are those of other bands."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """Components and how their scores are stored."""

    components: Components
    scaling: Scaling
    channels: tuple[str, ...]
    """Of the bands that go in."""
    dtype: np.dtype[Any]
    """Of the bands that go in."""
    nodata: float | None
    deviations: float
    fitted_on: Mapping[str, Any]

    @property
    def valid(self) -> Validity | None:
        return Validity.of(self.dtype, self.nodata)

    @property
    def projection(self) -> Projection:
        return Projection(self.components, self.scaling, self.valid)

    def to_json(self) -> dict[str, Any]:
        """Lists are one entry a component; `spectrum` is that of all of them."""
        components, scaling = self.components, self.scaling
        return {
            "components": components.directions.tolist(),
            "mean": components.mean.tolist(),
            "explained_variance": components.variances[: components.k].tolist(),
            "explained_variance_ratio": components.shares[: components.k].tolist(),
            "spectrum": components.variances.tolist(),
            "scale": {
                "rule": "score = (stored - middle) * step; bands = mean + score @ components",
                "dtype": scaling.dtype,
                "middle": scaling.middle,
                "step": scaling.step.tolist(),
                "lowest": scaling.lowest,
                "deviations": self.deviations,
            },
            "channels": list(self.channels),
            "dtype": self.dtype.name,
            "nodata": self.nodata,
            "pixels": components.pixels,
            "masked": components.masked,
            "fitted_on": dict(self.fitted_on),
        }

    @classmethod
    def read(cls, path: Path) -> Reduction:
        """Raises ReductionError where the file is not what `to_json` makes."""
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            components = Components(
                mean=np.array(facts["mean"], dtype=np.float64),
                directions=np.array(facts["components"], dtype=np.float64),
                variances=np.array(facts["spectrum"], dtype=np.float64),
                pixels=int(facts["pixels"]),
                masked=int(facts["masked"]),
            )
            scale = facts["scale"]
            step = np.array(scale["step"], dtype=np.float64)
            made = cls(
                components=components,
                scaling=Scaling(scale["dtype"], scale["middle"], step, scale["lowest"]),
                channels=tuple(facts["channels"]),
                dtype=np.dtype(facts["dtype"]),
                nodata=facts["nodata"],
                deviations=float(scale["deviations"]),
                fitted_on=dict(facts["fitted_on"]),
            )
            bands = len(made.channels)
            shapes = [a.shape for a in (components.mean, components.variances, step)]
            if shapes != [(bands,), (bands,), (components.k,)]:
                raise ValueError(f"{bands} channels, and arrays of the shapes {shapes}")
            if components.directions.shape != (components.k, bands):
                raise ValueError(f"components of the shape {components.directions.shape}")
        except (KeyError, TypeError, ValueError) as error:
            raise ReductionError(
                "these are not the components of a `pca` job", where=str(path), got=repr(error)
            ) from error
        return made

    def refuse_others(self, channels: tuple[str, ...], dtype: np.dtype[Any], where: str) -> None:
        """Raise ReductionError unless pictures of these channels are what it was fitted on."""
        if (channels, dtype) != (self.channels, self.dtype):
            raise ReductionError(
                "these pictures are not of the kind that the components were fitted on",
                where=where,
                got=f"{len(channels)} channels {', '.join(channels)}, {dtype}",
                wanted=f"{len(self.channels)} channels {', '.join(self.channels)}, {self.dtype}",
            )
