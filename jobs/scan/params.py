"""What `scan` is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.scan.scanned import TAKEN
from jobs.scan.targets import Wish
from jobs.scan.template import is_template, template_columns
from jobs.scan.wanted import FOLDERS
from jobs.scan.weeding import OnDuplicate
from skint.dataset.target import KINDS, SEPARATOR

Kind = Literal["class", "multilabel", "value", "mask"]
NEAR_BITS = 4
"""Pictures whose hashes differ in at most this many bits are near duplicates.

Measured on 1,000 photos of clothes and 500 of hands: of their 624,250 pairs none is within 4 bits
(17 are within 8), while a photo saved anew as JPEG of quality 50, at half or 0.7 of its size, as
PNG, or brighter by a tenth stayed within 4 bits in 600 of 600 cases.
"""
_NAME = re.compile(r"[A-Za-z_][\w-]*")


class Target(BaseModel):
    """A target, and where in the table it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: Kind = "class"
    column: str = ""
    """A column, or a template over columns; empty: the column of the target's name."""
    columns: tuple[str, ...] = ()
    """One column a class, with 0 or 1 in it; for `class` and `multilabel`."""
    split: str = SEPARATOR
    """Between the names in a multilabel cell."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.columns and (self.column or self.kind not in ("class", "multilabel")):
            raise ValueError("`columns` stand for a class or multilabel, without `column`")
        template_columns(self.column)
        return self


class Params(BaseModel):
    """What `scan` looks at."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: Path
    """The folder of pictures."""
    labels: str = "first"
    """Without a table: `first` or `last` folder of the path, a regular expression whose bracket
    finds the label in it, or `none`."""
    table: Path | None = None
    """A CSV or Parquet file, a row a picture."""
    path: str = "path"
    """Its column of paths relative to `source`, or a template over columns: `{id}.jpg`."""
    targets: dict[str, Target] = Field(default_factory=dict)
    """`{breed: class, age: value}`, `[breed, colour]` or `breed`; with a table `label` by default.
    """
    id: str = ""
    """The column that names the pictures; of a submission's ids."""
    group: str = ""
    """A column of the table, or a regular expression: what it (or its first bracket) finds in the
    path."""
    sample_submission: Path | None = None
    """A CSV file of the ids that predictions are asked for."""
    pages: Literal["first", "samples", "bands"] = "first"
    """Of a TIFF with several pages: the first, each a picture of its own, or each a band."""
    sixteen_bits: Literal["auto", "photos", "bands"] = "auto"
    """What pictures of 16 bits in gray or colour (PNG, TIFF) are: `photos`, brought to 8 bits;
    `bands`, which keep their values; `auto`: bands where a TIFF has a place on a map."""
    on_bad: Literal["quarantine", "fail", "keep"] = "quarantine"
    on_duplicate: OnDuplicate = "keep"
    near_bits: int | None = Field(default=NEAR_BITS, ge=0, le=8)
    """Bits of 64 in which the perceptual hashes of near duplicates differ at most; null: none are
    looked for."""

    @field_validator(
        "targets",
        mode="before",
        json_schema_input_type=str | list[str] | dict[str, str | Target],
    )
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list):
            value = dict.fromkeys(value, "class")
        if not isinstance(value, dict):
            return value
        for name in value:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name} is no name of a target: letters, digits, - and _; where the column is "
                    f'called otherwise: {{name: {{kind: class, column: "{name}"}}}}'
                )
            if name in TAKEN:
                raise ValueError(
                    f"a target cannot be called {name}, which is a column of scan.csv: "
                    f"{{my_{name}: {{kind: class, column: {name}}}}}"
                )
        return {
            name: {"kind": one} if isinstance(one, str) and one in KINDS else one
            for name, one in value.items()
        }

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: str) -> str:
        if value in FOLDERS or value == "none":
            return value
        if not _compiled(value).groups:
            raise ValueError("first, last, none, or a regular expression with a bracket")
        return value

    @field_validator("group")
    @classmethod
    def _group(cls, value: str) -> str:
        _compiled(value)
        return value

    @field_validator("path")
    @classmethod
    def _path(cls, value: str) -> str:
        if is_template(value):
            template_columns(value)
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.table is None and (self.targets or self.path != "path"):
            raise ValueError("`targets` and `path` are columns of a `table`, which is missing")
        if self.table is None and self.id and self.sample_submission is None:
            raise ValueError("`id` is a column of a `table` or `sample_submission`: both missing")
        if self.table is not None and self.labels not in ("first", "none"):
            raise ValueError("labels stand in the table: `targets` says where")
        if self.labels == "none" and self.targets:
            raise ValueError("`labels: none` has no targets")
        if self.sample_submission is not None and self.on_duplicate == "drop":
            raise ValueError("a submission needs every picture: `on_duplicate: keep`")
        return self

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """The targets that are asked for."""
        if self.labels == "none":
            return ()
        if not self.targets:
            return (Wish("label", "class", "label"),)
        return tuple(
            Wish(
                name, one.kind, one.column or ("" if one.columns else name), one.columns, one.split
            )
            for name, one in self.targets.items()
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
