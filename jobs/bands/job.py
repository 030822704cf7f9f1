"""Takes chosen bands of a packed set, and makes indices such as NDVI of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

import skint
from jobs.bands.indices import HIGH, INDICES, LOW, QUANTIFICATION, ROLES, SENSORS
from skint.attempt import write_atomic
from skint.dataset import PackedSet
from skint.job import nearest

if TYPE_CHECKING:
    import numpy as np

    from jobs.bands.stack import Stack

Band = int | str
"""A channel by its number from 1, or by its name."""


class BandsError(skint.SkintError):
    """The packed set has not the bands that are asked for, or they cannot be stored so."""


class Params(BaseModel):
    """What `bands` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bands: tuple[Band, ...] = ()
    """Bands in the order of the new channels, by name or by number from 1."""
    indices: tuple[str, ...] = ()
    """Indices by name: ndvi, ndwi, ndbi, evi, …; they stand behind the bands."""
    names: tuple[str, ...] = ()
    """Names for all channels of the set, where its own say nothing."""
    sensor: Literal["sentinel-2", "landsat-8-9", "landsat-4-7"] | None = None
    """Says which band is red, near infrared and so on, by the names B1, B2, …."""
    roles: Mapping[str, Band] = Field(default_factory=dict)
    """The same by hand: `{nir: B8, red: B4}`. Without both, bands of just these names are it."""
    quantification: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The value that stands for a reflectance of 1; 10000 for Sentinel-2, 1 for floats."""
    offset: float = Field(default=0.0, allow_inf_nan=False)
    """Added to a value before: -1000 for Sentinel-2 since processing baseline 04.00."""
    dtype: Literal["same", "uint8", "float16", "float32"] | None = None
    """`same` (the default without indices) keeps the bands' own, `float32` is that with them."""
    range: tuple[float, float] | None = None
    """Of uint8: the values of a band that become 0 and 255; indices go from -1 to 1."""
    nodata: float | None = Field(default=None, allow_inf_nan=False)
    """A value that means "not measured": pixels with it in a band that is used become 0, and so
    do pixels of floats that are not finite."""

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        if not self.bands and not self.indices:
            raise ValueError("give `bands`, `indices` or both")
        known = {"indices": (self.indices, INDICES), "roles": (self.roles, ROLES)}
        for key, (given, table) in known.items():
            for name in given:
                if name not in table:
                    advice = nearest(name, table) or f"known are {', '.join(table)}"
                    raise ValueError(f"`{key}` has no {name}; {advice}")
        if self.dtype == "same" and self.indices:
            raise ValueError("indices are fractions: `dtype: same` is for bands alone")
        if self.range is not None and (self.dtype != "uint8" or not self.bands):
            raise ValueError("`range` says how bands are stored with `dtype: uint8`")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("`range` goes from a lower to a higher value")
        return self


@skint.job(devices=0, libraries=("numpy",))
def bands(params: Params, ctx: skint.Context) -> None:
    from jobs.rewriting.float16 import TooLarge
    from jobs.rewriting.rewriting import Rewriting, pictures_in, rewrite

    data = PackedSet.open(ctx.find("dataset.json").parent)
    names = _names(params, data)
    stack = _stack(params, data, names)
    rewriting = Rewriting(
        change=stack,
        channels=(*(names[place] for place in stack.bands), *params.indices),
        dtype=stack.dtype.name,
        made_by={
            "job": "bands",
            "params": params.model_dump(mode="json"),
            "from": dict(data.meta.made_by),
        },
    )
    try:
        rewrite(data, rewriting, ctx, before=0, total=pictures_in(data))
    except TooLarge as error:
        raise BandsError(
            "float16 cannot hold these bands",
            where=str(data.folder),
            got=error,
            next="write `dtype: float32` or `dtype: same`",
        ) from error
    facts = _facts(params, stack, names)
    write_atomic(ctx.out / "bands.json", (json.dumps(facts, indent=1) + "\n").encode())
    ctx.note(f"{', '.join(rewriting.channels)} of {len(names)} bands, as {stack.dtype.name}")


def _names(params: Params, data: PackedSet) -> tuple[str, ...]:
    """Of the channels of the set."""
    names = params.names or data.meta.channels
    if len(names) != len(data.meta.channels):
        raise BandsError(
            f"{len(names)} names for {len(data.meta.channels)} channels",
            where="bands: names",
            wanted="a name for each channel, in their order",
        )
    twice = [name for number, name in enumerate(names) if _key(name) in map(_key, names[:number])]
    if twice:
        raise BandsError("a name stands for two channels", where="bands: names", got=twice[0])
    return tuple(names)


def _stack(params: Params, data: PackedSet, names: Sequence[str]) -> Stack:
    import numpy as np

    from jobs.bands.stack import Stack
    from jobs.pca.valid import Validity

    stored = np.dtype(data.meta.dtype)
    places = tuple(_place(band, names, "bands: bands") for band in params.bands)
    twice = [names[place] for number, place in enumerate(places) if place in places[:number]]
    if twice:
        raise BandsError("a band is asked for twice", where="bands: bands", got=twice[0])
    chosen = params.dtype or ("float32" if params.indices else "same")
    dtype = stored if chosen == "same" else np.dtype(chosen)
    if chosen == "uint8" and places and params.range is None and stored != np.uint8:
        raise BandsError(
            "it is not said which values become 0 and 255",
            where="bands: range",
            got=f"bands of {stored} to be stored as uint8",
            next=f"write `range: {_proposal(data, places)}`,"
            " which is what most pixels of these bands are within",
        )
    taken_as_it_is = chosen == "uint8" and places and params.range is None
    return Stack(
        bands=places,
        indices=tuple(INDICES[name] for name in params.indices),
        roles=dict(_roles(params, names)),
        dtype=dtype,
        valid=Validity.of(stored, params.nodata),
        offset=params.offset,
        quantification=_quantification(params, stored),
        range=(0.0, 255.0) if taken_as_it_is else params.range,
    )


def _roles(params: Params, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The place of every role that an index needs."""
    by_sensor = SENSORS[params.sensor] if params.sensor else {}
    for name in params.indices:
        for role in INDICES[name].roles:
            band = params.roles.get(role, by_sensor.get(role, role))
            try:
                yield role, _place(band, names, f"bands: {name}")
            except BandsError as error:
                if params.roles.get(role) is not None:
                    raise
                raise BandsError(
                    f"{name} needs the {role} band, and it is not known which that is",
                    where="bands: indices",
                    got=f"channels {', '.join(names)}; sensor {params.sensor or 'not given'}",
                    wanted=f"{INDICES[name].formula}",
                    next=f"write `roles: {{{role}: BAND}}`, or `sensor` and, where the channels"
                    " have no names of their own, `names`",
                ) from error


def _place(band: Band, names: Sequence[str], where: str) -> int:
    """The position of a band. B2 and b02 are one name."""
    if isinstance(band, int):
        if 1 <= band <= len(names):
            return band - 1
    else:
        keys = [_key(name) for name in names]
        if _key(band) in keys:
            return keys.index(_key(band))
    raise BandsError(
        "the packed set has no such band",
        where=where,
        got=str(band),
        wanted=f"1 to {len(names)}, or one of {', '.join(names)}",
        next="name the channels with `names`" if isinstance(band, str) else None,
    )


def _key(name: str) -> str:
    return re.sub(r"^b0+(?=\d)", "b", name.casefold())


def _quantification(params: Params, stored: np.dtype[Any]) -> float:
    if params.quantification is not None:
        return params.quantification
    known = QUANTIFICATION.get(params.sensor or "")
    if known is not None and stored.kind != "f":
        return known
    scaled = [name for name in params.indices if INDICES[name].constant]
    if scaled and stored.kind != "f":
        raise BandsError(
            f"{scaled[0]} is made of reflectances, and it is not known what 1 is here",
            where="bands: quantification",
            got=f"bands of {stored}",
            wanted=f"{INDICES[scaled[0]].formula}, of bands between 0 and 1",
            next="write `quantification: 10000` if 10000 stands for a reflectance of 1",
        )
    return 1.0


def _proposal(data: PackedSet, places: Sequence[int]) -> list[int]:
    means, deviations = data.meta.mean, data.meta.std
    low = min(means[place] - 3 * deviations[place] for place in places)
    high = max(means[place] + 3 * deviations[place] for place in places)
    return [0, 1] if not low < high else [max(0, round(low)), max(1, round(high))]


def _facts(params: Params, stack: Stack, names: Sequence[str]) -> dict[str, Any]:
    """`bands.json`: what stands in each channel, and what its numbers mean."""
    in_bytes = stack.dtype == "uint8"
    channels: list[dict[str, Any]] = [
        {"name": names[place], "is": f"band {place + 1}", "range": stack.range}
        for place in stack.bands
    ]
    for name in params.indices:
        index = INDICES[name]
        used = {role: names[stack.roles[role]] for role in index.roles}
        span = (LOW, HIGH) if in_bytes else None
        channels.append({"name": name, "is": index.formula, "bands": used, "range": span})
    return {
        "channels": channels,
        "dtype": stack.dtype.name,
        "rule": f"range[0] is stored as {stack.lowest}, range[1] as 255"
        if in_bytes
        else "stored as they are",
        "reflectance": {"offset": stack.offset, "quantification": stack.quantification},
        "nodata": params.nodata,
        "masked": "0 in all channels" if stack.valid is not None else "nothing",
    }
